"""GET and DELETE /connections: which tenants a person linked to the app."""

from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


def connections(world: World, call: Call, user_id: str) -> Answer:
    """The person's connections, or the removal of one."""
    links = world.office.connections.get(user_id, {})
    _, _, connection_id = call.path[1:].partition("/")
    if call.method == "GET" and not connection_id:
        event_id = call.parameter("authEventId")
        found = [link for link in links.values() if event_id is None or link.auth_event_id == event_id.lower()]
        return json_answer([link.content() for link in found])
    if call.method == "DELETE" and connection_id:
        for tenant_id, link in links.items():
            if link.id == connection_id.lower():
                del links[tenant_id]
                return Answer(204)
    return json_answer({"Type": None, "Title": "NotFound", "Status": 404, "Detail": "Resource not found"}, 404)
