# What the values of the chart mean to JupyterHub. Helm drops those that are null, the
# others lie in a Secret, as YAML that is JSON as well.
import json
import os

SECRET = "/usr/local/etc/jupyterhub/secret/"


def read(name):
    with open(SECRET + name) as f:
        return f.read()


values = json.loads(read("values.yaml"))
hub, user = values["hub"], values["singleuser"]
namespace = os.environ["POD_NAMESPACE"]

c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite" if hub["db"]["type"] == "sqlite-pvc" else hub["db"]["url"]
c.JupyterHub.base_url = hub["baseUrl"]
c.JupyterHub.hub_bind_url = "http://:8081"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.JupyterHub.cookie_secret = bytes.fromhex(read("hub.config.JupyterHub.cookie_secret"))
c.CryptKeeper.keys = [k.encode() for k in read("hub.config.CryptKeeper.keys").split(";")]
# The proxy and the users' servers go on when the hub ends.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.last_activity_interval = 60
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://proxy-api:8001"
c.ConfigurableHTTPProxy.auth_token = read("hub.config.ConfigurableHTTPProxy.auth_token")

c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.KubeSpawner.namespace = namespace
c.KubeSpawner.image = "%(name)s:%(tag)s" % user["image"]
c.KubeSpawner.image_pull_policy = user["image"]["pullPolicy"]
c.KubeSpawner.start_timeout = user["startTimeout"]
c.KubeSpawner.http_timeout = 120
c.KubeSpawner.environment = user["extraEnv"]
c.KubeSpawner.common_labels = {
    "app": "jupyterhub",
    "chart": "%(Name)s-%(Version)s" % values["Chart"],
    "release": values["Release"]["Name"],
}
if user.get("cmd"):
    c.Spawner.cmd = user["cmd"]

storage = user["storage"]
if storage["type"] == "dynamic":
    dynamic = storage["dynamic"]
    c.KubeSpawner.storage_pvc_ensure = True
    c.KubeSpawner.pvc_name_template = dynamic["pvcNameTemplate"]
    c.KubeSpawner.storage_capacity = storage["capacity"]
    c.KubeSpawner.storage_access_modes = dynamic["storageAccessModes"]
    if dynamic.get("storageClass"):
        c.KubeSpawner.storage_class = dynamic["storageClass"]
    c.KubeSpawner.volumes = [
        {"name": dynamic["volumeNameTemplate"], "persistentVolumeClaim": {"claimName": dynamic["pvcNameTemplate"]}}
    ]
    c.KubeSpawner.volume_mounts = [{"name": dynamic["volumeNameTemplate"], "mountPath": storage["homeMountPath"]}]
elif storage["type"] == "static":
    c.KubeSpawner.volumes = [{"name": "home", "persistentVolumeClaim": {"claimName": storage["static"]["pvcName"]}}]
    c.KubeSpawner.volume_mounts = [
        {"name": "home", "mountPath": storage["homeMountPath"], "subPath": storage["static"]["subPath"]}
    ]

c.JupyterHub.services = [
    {"api_token": read("hub.services.%s.apiToken" % name), "name": name,
     **{k: v for k, v in service.items() if k not in ("apiToken", "name")}}
    for name, service in hub["services"].items()
]
c.JupyterHub.load_roles = [{"name": name, **role} for name, role in hub["loadRoles"].items()]

for section, settings in hub["config"].items():
    for name, value in settings.items():
        if (section, name) in (("JupyterHub", "cookie_secret"), ("CryptKeeper", "keys")):
            continue
        if (section, name) == ("Authenticator", "allowed_users") or (section, name) == ("Authenticator", "admin_users"):
            value = set(value)
        c[section][name] = value

for name, code in sorted(hub["extraConfig"].items()):
    exec(code)
