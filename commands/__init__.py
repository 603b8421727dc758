"""THE COMMAND LINE: what a person or a service manager asks for, one file for what belongs together."""
