# layer.sh VERB FOLDER: makes a Debian system, or what is installed into one. It
# runs in a mount and a process namespace of its own, so it cleans up nothing.
# Packages come from where this machine gets its own: that is asked here and
# never written down.
export LC_ALL=C DEBIAN_FRONTEND=noninteractive HOME=${HOME:-/root}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
mount -t proc proc /proc

fail() { echo "layer.sh: $*" >&2; exit 1; }

# mirror prints the address of Debian that this machine uses, else the one that
# debootstrap would use.
mirror() {
  address=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 'Component: main' \
    2>/dev/null | head -n 1) || :
  if [ -z "$address" ]; then
    address=$(sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' "$(command -v debootstrap)" | head -n 1)
  fi
  if [ -z "$address" ]; then fail "no mirror of Debian is known: neither apt-get nor debootstrap names one"; fi
  echo "$address"
}

# authorities prints the file with the certificates that this machine trusts.
authorities() {
  for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    if [ -n "$file" ] && [ -e "$file" ]; then echo "$file"; return; fi
  done
}

system() {
  address=$(mirror)
  debootstrap --variant=minbase "$SUITE" "$1" "$address"
  cd "$1"
  # Pages that nobody reads in a container.
  cat > etc/dpkg/dpkg.cfg.d/refit <<'END'
path-exclude /usr/share/doc/*
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
END
  rm -rf usr/share/doc/* usr/share/man/* usr/share/info/* usr/share/locale/*
  # Packages must not start what they bring.
  printf '#!/bin/sh\nexit 101\n' > usr/sbin/policy-rc.d
  chmod 755 usr/sbin/policy-rc.d
  rm -rf var/lib/apt/lists/* var/cache/apt/* var/log/* var/cache/debconf/*-old var/cache/ldconfig/aux-cache
  # They are of the machine.
  : > etc/apt/sources.list
  : > etc/resolv.conf
  : > etc/machine-id
  rm -f etc/hostname
}

install() {
  cd "$1"
  tar -xzpf "$LAYER" -C below --numeric-owner
  mount -t overlay overlay -o lowerdir=below,upperdir=above,workdir=work,redirect_dir=off,metacopy=off root
  cd root
  mount -t proc proc proc
  mount --rbind /dev dev
  for dir in run tmp var/lib/apt/lists var/cache/apt; do mount -t tmpfs tmpfs $dir; done
  chmod 1777 tmp
  mkdir -p run/lock var/cache/apt/archives/partial
  mount --bind /etc/resolv.conf etc/resolv.conf
  address=$(mirror)
  printf 'deb %s %s main\n' "$address" "$SUITE" > run/sources.list
  mount --bind run/sources.list etc/apt/sources.list
  trust=$(authorities)
  if [ -n "$trust" ]; then
    cp "$trust" run/authorities.pem
    # The last is for the pip of Debian 12, which passes over the others.
    export SSL_CERT_FILE=/run/authorities.pem PIP_CERT=/run/authorities.pem REQUESTS_CA_BUNDLE=/run/authorities.pem
  fi
  if [ -n "$PACKAGES" ]; then packages; fi
  if [ -n "$PYTHON" ]; then python; fi
  if [ -n "$NPM" ]; then npm_packages; fi
  if [ -n "$RUN" ]; then chroot . sh -euxc "$RUN"; fi
  rm -rf var/log/apt var/log/dpkg.log var/log/alternatives.log var/cache/debconf/*-old var/cache/ldconfig/aux-cache root/.cache root/.npm
}

packages() {
  # What a machine sets for its way to the packages: proxies.
  apt-config dump 2>/dev/null | grep -i '^Acquire::[a-z]*::Proxy' > run/apt.conf || :
  echo 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";' >> run/apt.conf
  if [ -n "$trust" ]; then echo 'Acquire::https::CaInfo "/run/authorities.pem";' >> run/apt.conf; fi
  chroot . env APT_CONFIG=/run/apt.conf apt-get update
  # A cluster of PostgreSQL is made by whoever starts the image.
  if [ ! -e etc/postgresql-common/createcluster.conf ]; then
    mkdir -p etc/postgresql-common
    echo 'create_main_cluster = false' > etc/postgresql-common/createcluster.conf
    made=1
  fi
  chroot . env APT_CONFIG=/run/apt.conf apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold $PACKAGES
  if [ ! -e usr/bin/pg_lsclusters ]; then rm -rf etc/postgresql-common; fi
}

python() {
  # What pip is told on this machine, in its own words: global.a-b='c' is PIP_A_B=c.
  if command -v python3 > /dev/null; then
    python3 -m pip config list 2>/dev/null | sed -n "s/^\(global\|install\)\.\([a-z-]*\)='\(.*\)'$/\2 \3/p" > run/pip || :
    while read -r name value; do
      name=$(echo "$name" | tr a-z- A-Z_)
      if [ "$name" != CERT ]; then export "PIP_$name=$value"; fi
    done < run/pip
  fi
  if [ ! -e opt/venv/bin/pip ]; then chroot . python3 -m venv /opt/venv; fi
  chroot . /opt/venv/bin/pip install --no-cache-dir --no-input $PYTHON
}

npm_packages() {
  command -v npm > /dev/null || fail "npm is not installed on this machine: install it"
  # By the machine's npm, and so as the machine is set up: what it brings is
  # scripts. None is carried out here.
  npm install --global --prefix "$PWD/usr/local" --ignore-scripts --no-audit --no-fund --cache "$PWD/run/npm" $NPM
}

verb=$1
shift
"$verb" "$@"
