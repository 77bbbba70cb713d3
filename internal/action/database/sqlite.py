# Carried out by python3 in a pod: sqlite.py COMMAND DATABASE STEP.
# Answers with one line of JSON on standard error, which is the last one; save writes
# the database to standard output, and fetch reads it from standard input.
import json, os, shutil, sqlite3, sys, urllib.parse

command, path, step = sys.argv[1:4]
folder, base = os.path.split(path)
work = os.path.join(folder, "." + base + ".refit-" + step)
SIDES = ["", "-wal", "-shm", "-journal"]


def inside(name):
    return os.path.join(work, name)


def there(name):
    return os.path.lexists(inside(name))


def sync(name):
    handle = os.open(name, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def answer(**values):
    sys.stderr.write("\n" + json.dumps(values) + "\n")


def refuse(why, **values):
    answer(error=why, **values)
    sys.exit(1)


def connect(name, mode="ro"):
    uri = "file:" + urllib.parse.quote(name) + "?mode=" + mode
    return sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None)


def look(db):
    quoted = lambda name: '"' + name.replace('"', '""') + '"'
    names = [row[0] for row in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")]
    tables = [{"name": n, "rows": db.execute("SELECT count(*) FROM " + quoted(n)).fetchone()[0]} for n in names]
    revisions = []
    if "alembic_version" in names:
        revisions = [row[0] for row in db.execute("SELECT version_num FROM alembic_version ORDER BY 1")]
    return tables, revisions


def mark(name, content=""):
    with open(inside(name + ".tmp"), "w") as f:
        f.write(content)
        f.flush()
        os.fsync(f.fileno())
    os.rename(inside(name + ".tmp"), inside(name))
    sync(work)


def facts():
    if not os.path.exists(path):
        return refuse("there is no such file", missing=True)
    db = connect(path)
    db.execute("BEGIN")
    tables, revisions = look(db)
    answer(version=sqlite3.sqlite_version, tables=tables, revisions=revisions)


def scratch():
    # Where there is room for a copy: not beside the database, which others look at.
    need = sum(os.path.getsize(path + side) for side in SIDES[:2] if os.path.exists(path + side)) * 11 // 10 + (1 << 20)
    for place in [os.environ.get("TMPDIR", ""), "/tmp", "/var/tmp", "/dev/shm", folder]:
        if place and os.access(place, os.W_OK) and shutil.disk_usage(place).free > need:
            return os.path.join(place, ".refit-" + step + "-copy.db")
    refuse("there is no room for a copy of %d bytes" % need, full=True)


def save():
    if not os.path.exists(path):
        return refuse("there is no such file", missing=True)
    copy = scratch()
    for side in SIDES:  # What an attempt before has left.
        if os.path.exists(copy + side):
            os.unlink(copy + side)
    try:
        source, target = connect(path), sqlite3.connect(copy)
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target)
        target.close()
        source.close()
        data = open(copy, "rb")
    finally:
        for side in SIDES:
            if os.path.exists(copy + side):
                os.unlink(copy + side)
    shutil.copyfileobj(data, sys.stdout.buffer, 1 << 20)
    sys.stdout.buffer.flush()
    answer()


def state():
    content = ""
    if there("ready"):
        with open(inside("ready")) as f:
            content = f.read()
    answer(begun=os.path.isdir(work), ready=content, emptied=there("emptied"), done=there("done"),
           kept=there("before") and bool(os.listdir(inside("before"))), work=work)


def fetch():
    os.makedirs(work, 0o700, exist_ok=True)
    for name in ["new", "before"]:
        os.makedirs(inside(name), 0o700, exist_ok=True)
    new = os.path.join(inside("new"), base)
    for side in SIDES:
        if os.path.lexists(new + side):
            os.unlink(new + side)
    with open(new, "xb") as f:
        shutil.copyfileobj(sys.stdin.buffer, f, 1 << 20)
        f.flush()
        os.fsync(f.fileno())
    db = connect(new)
    verdict = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        return refuse("the database is damaged: " + verdict)
    tables, _ = look(db)
    db.close()
    like = os.stat(path) if os.path.exists(path) else os.stat(folder)
    os.chmod(new, like.st_mode & 0o666)
    if os.geteuid() == 0:
        os.chown(new, like.st_uid, like.st_gid)
    sync(inside("new"))
    sync(work)
    answer(tables=tables)


def move(names, source, target):
    for name in names:
        os.rename(os.path.join(source, name), os.path.join(target, name))
    sync(source)
    sync(target)


def mine(place):
    return [base + side for side in SIDES if os.path.lexists(os.path.join(place, base + side))]


def swap():
    if not there("emptied"):
        move(mine(folder), folder, inside("before"))
        mark("emptied")
    if not there("done"):
        move(mine(inside("new")), inside("new"), folder)
        mark("done")
    answer()


def undo():
    if os.path.isdir(work):
        if there("emptied") and not there("cleared"):
            for name in mine(folder):
                os.unlink(os.path.join(folder, name))
            sync(folder)
            mark("cleared")
        if there("before"):
            move(mine(inside("before")), inside("before"), folder)
        for name in ["done", "emptied", "new", "before"]:
            if os.path.isdir(inside(name)):
                shutil.rmtree(inside(name))
            elif there(name):
                os.unlink(inside(name))
        shutil.rmtree(work)
        sync(folder)
    answer()


def ready():
    mark("ready", sys.stdin.read())
    answer()


try:
    {"facts": facts, "save": save, "state": state, "fetch": fetch, "ready": ready, "swap": swap, "undo": undo}[command]()
except sqlite3.DatabaseError as e:
    refuse(str(e), locked="locked" in str(e), damaged="malformed" in str(e) or "not a database" in str(e))
except OSError as e:
    refuse("%s: %s" % (e.strerror, e.filename or e.filename2 or path), full=e.errno in (28, 122), denied=e.errno in (1, 13, 30))
