"""A connection that is reset while data of it is still to be read is lost, like any other."""

import subprocess
import sys

SERVER = """
import asyncio, socket, struct, threading, time
import uvloop
from config import reactor as ours
loop = uvloop.new_event_loop()
asyncio.set_event_loop(loop)
ours.install(loop)
from twisted.internet import protocol, reactor

class Page(protocol.Protocol):
    def connectionMade(self):
        reactor.callLater(0, reset)
    def dataReceived(self, data):
        print("read", data.decode(), flush=True)
        reactor.callLater(0.1, answer, self.transport)
    def connectionLost(self, reason):
        print("lost", reason.type.__name__, flush=True)
        reactor.stop()

def reset():
    client.sendall(b"hello")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    time.sleep(0.1)  # both have arrived when the loop looks

def answer(transport):
    transport.write(b"one")
    transport.write(b"two")

pages = protocol.Factory.forProtocol(Page)
port = reactor.listenTCP(0, pages, interface="127.0.0.1").getHost().port
client = socket.create_connection(("127.0.0.1", port))
reactor.callLater(20, reactor.stop)
reactor.run()
"""


def test_a_connection_reset_behind_its_data_is_lost_at_the_next_write() -> None:
    done = subprocess.run([sys.executable, "-c", SERVER], capture_output=True, text=True, check=False, timeout=30)
    assert (done.stdout.splitlines(), done.stderr) == (["read hello", "lost ConnectionLost"], "")
