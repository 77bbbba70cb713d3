# What the hub of a test is told. It says nothing that only one of the releases knows.
import os

c.JupyterHub.db_url = "sqlite:////srv/jupyterhub/jupyterhub.sqlite"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.JupyterHub.cookie_secret_file = "/srv/jupyterhub/cookie_secret"
# The proxy and the users' servers go on when the hub ends.
c.JupyterHub.cleanup_servers = False
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://proxy:8001"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["PASSWORD"]
c.Authenticator.allowed_users = {"ada"}
c.JupyterHub.services = [{"name": "test", "api_token": os.environ["API_TOKEN"]}]
c.JupyterHub.load_roles = [
    {"name": "test", "services": ["test"], "scopes": ["admin:users", "admin:servers", "access:servers", "list:users"]}
]
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.KubeSpawner.namespace = os.environ["NAMESPACE"]
c.KubeSpawner.image = os.environ["SINGLE_USER"]
c.KubeSpawner.image_pull_policy = "Never"
c.KubeSpawner.start_timeout = 180
c.KubeSpawner.http_timeout = 120
c.KubeSpawner.pod_name_template = "jupyter-{username}"
c.KubeSpawner.pvc_name_template = "home-{username}"
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = "50Mi"
c.KubeSpawner.storage_access_modes = ["ReadWriteOnce"]
c.KubeSpawner.volumes = [{"name": "home", "persistentVolumeClaim": {"claimName": "home-{username}"}}]
c.KubeSpawner.volume_mounts = [{"name": "home", "mountPath": "/home/jovyan"}]
