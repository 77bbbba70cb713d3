# A stand-in for the server of a user: it says that it is there, and nothing else. The
# names of users say what becomes of it: broken- ends at once, slow- takes its time.
import http.server
import os
import sys
import time
import urllib.parse

user = os.environ["JUPYTERHUB_USER"]
if user.startswith("broken-"):
    sys.exit("the image has no server")
if user.startswith("slow-"):
    time.sleep(3)


class Here(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", os.environ.get("HUBTEST_VERSION", ""))
        self.end_headers()

    def log_message(self, *args):
        pass


address = urllib.parse.urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.ThreadingHTTPServer((address.hostname, address.port), Here).serve_forever()
