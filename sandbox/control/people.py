"""Who is in a Qonto organisation, and as what."""

from collections.abc import Iterable

import msgspec

from sandbox.control.answers import Wrong, created, read, unknown
from sandbox.control.qonto import find_organisation
from sandbox.founding import add_person
from sandbox.introductions import person_content
from sandbox.qonto.people import PersonSpec
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    role: str | msgspec.UnsetType | None = msgspec.UNSET
    status: str | msgspec.UnsetType = msgspec.UNSET


def show(world: World, _call: Call, organisation_id: str) -> Answer:
    """Everybody, in the order in which they came."""
    people = find_organisation(world, organisation_id).people.values()
    return json_answer({"people": [person_content(person) for person in people]})


def add(world: World, call: Call, organisation_id: str) -> Answer:
    """One more person."""
    organisation, wanted = find_organisation(world, organisation_id), read(call, PersonSpec)
    refuse_known_ids(world, [wanted])
    return created(person_content(add_person(organisation, wanted)))


def change(world: World, call: Call, organisation_id: str, person_id: str) -> Answer:
    """Another role or status, at once: tokens that the person gave tell of it."""
    person, wanted = find_organisation(world, organisation_id).people.get(person_id), read(call, _Change)
    if person is None:
        raise unknown("person", person_id)
    if wanted.role is not msgspec.UNSET:
        person.role = wanted.role
    if wanted.status is not msgspec.UNSET:
        person.status = wanted.status
    return json_answer(person_content(person))


def refuse_known_ids(world: World, specs: Iterable[PersonSpec]) -> None:
    """A person's id is theirs alone. Raises Wrong."""
    seen: set[str] = set()
    for person_id in [spec.id for spec in specs if spec.id is not None]:
        if person_id in seen or world.bank.find_person(person_id) is not None:
            raise Wrong(f"There is a person '{person_id}' already.")
        seen.add(person_id)
