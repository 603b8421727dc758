"""The real servers that integration tests need, brought by the tests themselves on any machine.

A Docker engine that answers is used first (testcontainers, pinned images). Without one, private processes
run on free ports from installed binaries. Without binaries, on Debian or Ubuntu as root, they are installed
first. A machine that offers none of the three gets an error that names what is missing: never a skip.
"""
