"""Twisted's reactor on uvloop, which hears of every lost connection.

Where data and a reset arrive together uvloop delivers the data, closes its own handle and tells nobody: the connection
stays among the living, and the next write to it raises RuntimeError (twisted/twisted#11904).
"""

import asyncio

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IWriteDescriptor
from twisted.internet.main import installReactor
from twisted.python.failure import Failure


class Reactor(AsyncioSelectorReactor):
    """As Twisted's; a connection that can no longer be written to is lost."""

    def addWriter(self, writer: IWriteDescriptor) -> None:
        try:
            super().addWriter(writer)
        except RuntimeError:  # the handle is closed
            self.removeReader(writer)
            self.callLater(0, writer.connectionLost, Failure(ConnectionLost()))


def install(loop: asyncio.AbstractEventLoop) -> None:
    """Make it the process's reactor, which Daphne then takes. To be called before `daphne.server` is imported."""
    installReactor(Reactor(loop))
