"""The interactive shell: the commands of the command line, at a prompt."""
