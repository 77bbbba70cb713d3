# A stand-in for the server of a user: it says that it is there, and nothing else. The
# names of users say what becomes of it: broken- ends at once, slow- takes its time.
# Tests start dozens of them, so it does without the servers of Python's library, which
# take most of a second to load.
import os
import socket
import sys
import time

user = os.environ["JUPYTERHUB_USER"]
if user.startswith("broken-"):
    sys.exit("the image has no server")
if user.startswith("slow-"):
    time.sleep(3)

host, _, port = os.environ["JUPYTERHUB_SERVICE_URL"].split("/")[2].partition(":")
here = "HTTP/1.1 200 OK\r\nX-JupyterHub-Version: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
listener = socket.create_server((host, int(port)))
while True:
    connection, _ = listener.accept()
    with connection:
        try:
            connection.settimeout(5)
            connection.recv(65536)
            connection.sendall(here.format(os.environ.get("HUBTEST_VERSION", "")).encode())
        except OSError:
            pass  # who asked has gone
