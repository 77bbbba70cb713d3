# The configuration of a hub for tests. What differs stands in the environment.
import json
import os
import sys

from jupyterhub.proxy import Proxy

folder = os.environ["HUBTEST_DIR"]


class ProxyStandIn(Proxy):
    """Remembers routes and carries nothing."""

    should_start = False
    routes = {}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return dict(self.routes)


c = get_config()  # noqa: F821
c.JupyterHub.proxy_class = ProxyStandIn
c.JupyterHub.hub_bind_url = "http://" + os.environ["HUBTEST_HOST"]
c.JupyterHub.db_url = "sqlite:///" + os.path.join(folder, "jupyterhub.sqlite")
c.JupyterHub.cookie_secret_file = os.path.join(folder, "cookie_secret")
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.allow_named_servers = True
c.JupyterHub.log_level = "WARN"
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0.2, "slow_stop_timeout": 1}
c.SimpleLocalProcessSpawner.home_dir_template = os.path.join(folder, "home", "{username}")
c.Spawner.http_timeout = c.Spawner.start_timeout = 90


def hurry(spawner):
    """What cannot come up is not waited for long."""
    if spawner.user.name.startswith("broken-"):
        spawner.http_timeout = 2


c.Spawner.pre_spawn_hook = hurry
c.Spawner.environment = {"HUBTEST_VERSION": os.environ["HUBTEST_VERSION"]}
if os.environ.get("HUBTEST_REAL") == "1":
    c.Spawner.cmd = [os.path.join(os.path.dirname(sys.executable), "jupyterhub-singleuser")]
    c.Spawner.args = ["--allow-root"]
    c.Spawner.default_url = "/api"
else:
    c.Spawner.cmd = [sys.executable, "-I", "-S", os.path.join(folder, "server_stand_in.py")]

c.JupyterHub.services = []
c.JupyterHub.load_roles = []
for name, (token, scopes) in json.loads(os.environ["HUBTEST_TOKENS"]).items():
    c.JupyterHub.services.append({"name": name, "api_token": token})
    c.JupyterHub.load_roles.append({"name": name, "services": [name], "scopes": scopes})
