"""A scanner for POETS applications in XML, in C.

:class:`Scanner` checks well-formedness and reports elements as events, except for the
sections of devices and edges: their rows go natively into an :class:`Instance`, at the
speed of the disk.  :func:`parse_value` reads one initialiser.
"""

from pstack_scan.instance import Instance
from pstack_scan.layouts import parse_value
from pstack_scan.scanner import Scanner, XMLError

__all__ = ["Instance", "Scanner", "XMLError", "parse_value"]
