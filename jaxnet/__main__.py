"""`python -m jaxnet` is the command `jaxnet`."""

from jaxnet.commands.main import main

main()
