cp releases/2.json site/release.json
