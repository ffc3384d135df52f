#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2034,SC2016 # the tests read what is set here, code stands in single quotes
source "$BATS_TEST_DIRNAME/../../postgresql/test/helper.bash"

# Merges the image, puts stand-ins for the server's programs onto PATH and declares the variables as fragment.ts does.
patroni_setup() {
  local name
  for name in "${!PATRONI_@}" "${!POSTGRESQL_@}"; do unset -v "$name"; done
  unset -v USE_PATRONI PGPORT POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD
  postgresql_setup
  cp -R "$BATS_TEST_DIRNAME/../rootfs/." "$IMAGE/"
  chmod -R a+rX "$IMAGE"
  # As the build gives them.
  chmod 755 "$CONTAINER"/patroni/{bin/postgres,bootstrap.sh,callback.sh} "$IMAGE/usr/local/bin/patronictl"
  export PATRONI_HOME=$CONTAINER/patroni BOOTSTRAP_HOME=$CONTAINER CALLBACK_HOME=$CONTAINER COMMAND_HOME=$CONTAINER
  export ANSWERS=$BATS_TEST_TMPDIR/answers SETTINGS=$BATS_TEST_TMPDIR/settings GIVEN=$STATE_FOLDERS/given KNOWN=$STATE_FOLDERS/known
  mkdir -p "$ANSWERS"
  : >"$SETTINGS"
  patroni_contract
  patroni_stubs
  prelude+='source "$ENTRYPOINT_SCRIPTS/runtime/modes/patroni.sh"; source "$PATRONI_HOME/node.sh"; env_load "$ENTRYPOINT_CONTRACTS"; patroni_dir; mkdir -p "$PATRONI_DIR"; '
}

# Declares what the tests need.
patroni_contract() {
  printf '%s\n' 'var|PATRONI_ENABLE|boolean|false||' 'var|USE_PATRONI|boolean|false||' 'var|PATRONI_SCOPE|string|main||' \
    'var|PATRONI_NAME|string|||' 'var|PATRONI_ADDRESS|string|||' 'var|PATRONI_TTL|integer|10||5..3600' \
    'var|PATRONI_LOOP_WAIT|integer|2||1..600' 'var|PATRONI_RETRY_TIMEOUT|integer|4||3..600' \
    'var|PATRONI_MAXIMUM_LAG_ON_FAILOVER|integer|1048576||0..' 'var|PATRONI_SYNCHRONOUS_MODE|enum|off||off,on,strict,quorum' \
    'var|PATRONI_SYNCHRONOUS_NODE_COUNT|integer|1||1..100' 'var|PATRONI_PRIMARY_START_TIMEOUT|integer|||0..86400' \
    'var|PATRONI_FAILSAFE_MODE|boolean|false||' 'var|PATRONI_WATCHDOG_MODE|enum|off||off,automatic,required' \
    'var|PATRONI_WATCHDOG_DEVICE|path|/dev/watchdog||' 'var|PATRONI_CONFIGURATION|string||secret,file|' \
    'var|PATRONI_SUPERUSER_PASSWORD|string||secret,file|' 'var|PATRONI_ETCD3_PASSWORD|string||secret,file|' \
    'var|PATRONI_ETCD3_*|string|||' 'var|PATRONI_REPLICATION_*|string|||' 'var|PATRONI_LOG_*|string|||' \
    >"$CONTRACTS/patroni.contract"
  printf '%s\n' 'var|POSTGRES_PASSWORD|string||secret,file|' 'var|POSTGRES_USER|string|postgres|file|' \
    'var|POSTGRES_DB|string||file|' 'var|POSTGRESQL_*|string|||' >"$CONTRACTS/postgresql.contract"
}

# The server answers -C as SETTINGS says (name=value); else it does what the stand-in of its own tests does.
patroni_stubs() {
  mv "$STUBS/postgres" "$STUBS/postgres-itself"
  stub postgres <<'S'
if [[ " $* " != *' -C '* ]]; then exec postgres-itself "$@"; fi
{ printf 'postgres'; printf ' <%s>' "$@"; echo; } >>"$CALLS"
[[ -z ${POSTGRES_COMPLAINS-} ]] || exit 1
while IFS='=' read -r name value; do [[ $name != "${*: -1}" ]] || echo "$value"; done <"$SETTINGS"
S
  stub hostname <<<'echo "${ADDRESSES-192.0.2.7}"'
}

# Puts a stand-in for python3 onto PATH, or skips. It notes in CALLS how it was called. In place of node.py it keeps in GIVEN the
# settings, in KNOWN the environment that it is told, and notes what else it is asked to look at; what it says and how that ends is
# in CONFIGURATION_SAYS, CONFIGURATION_CODE, CLUSTER_SAYS and CLUSTER_CODE. In place of Patroni it notes signals, in Python: a
# shell takes some of them by itself before its traps are there.
python_stub() {
  REAL_PYTHON=$(as_user bash -c 'type -P python3') || skip "no python3 on this machine"
  export REAL_PYTHON
  stub python3 <<'S'
{ printf 'python3'; printf ' <%s>' "$@"; echo; } >>"$CALLS"
case " $* " in
  *patroni.version*) echo "${PATRONI_IS-4.0.7}" ;;
  *node.py* | *launch.py*)
    if [[ $* == *node.py* ]]; then
      exec {asked}<&"$3" {answers}>&"$4"
      eval "exec $3<&- $4>&-"
      list() {
        local count field
        LIST=()
        IFS= read -r -d '' count <&"$asked" || exit 0
        for ((; count > 0; count--)); do
          IFS= read -r -d '' field <&"$asked"
          LIST+=("$field")
        done
      }
      list
      printf '%s\n' "${LIST[@]}" >"$KNOWN"
      list
      printf '%s\n' "${LIST[@]}" >"$GIVEN"
      list
      printf '%b' "${CONFIGURATION_SAYS-api\t8008\t127.0.0.1\thttp\nserver\t5433\t10.0.0.1\n}" >&"$answers"
      code=${CONFIGURATION_CODE-0}
      if ((code == 0)); then
        { printf 'look'; printf ' <%s>' "${LIST[@]}"; echo; } >>"$CALLS"
        printf '%b' "${CLUSTER_SAYS-}" >&"$answers"
        code=${CLUSTER_CODE-0}
      fi
      printf 'exit\t%s\n' "$code" >&"$answers"
      exec {answers}>&-
      IFS= read -r -n 1 go <&"$asked" || exit 0
      exec {asked}<&-
    fi
    echo "password <${PGPASSWORD-none}> <${POSTGRES_PASSWORD-none}>" >>"$CALLS"
    exec "$REAL_PYTHON" -I -c '
import signal, sys, time

def note(text):
    with open(sys.argv[1], "a") as calls:
        calls.write(text + "\n")

def on_signal(number, frame):
    note("signal " + signal.Signals(number).name[3:])
    if number == signal.SIGTERM:
        sys.exit(0)

signal.signal(signal.SIGTERM, on_signal)
note("ready")
signal.signal(signal.SIGHUP, on_signal)
time.sleep(120)
' "$CALLS" >/dev/null 2>&1 3>&-
    ;;
esac
S
}

# Runs code with all functions of the fragment at hand.
with_patroni() { with_entrypoint "$prelude$1" "${@:2}"; }

# Lets the REST API answer a path; needs the path, the status (or hang) and perhaps the body.
answer() { printf '%s\n%s' "$2" "${3-}" >"$ANSWERS/${1#/}"; }

# Starts a REST API that answers as answer says, and publishes its address; needs nothing, or https, certificate and key, and
# perhaps the authority whose certificates it asks for.
rest_api() {
  cat >"$BATS_TEST_TMPDIR/rest.py" <<'P'
import http.server, os, ssl, sys, time

folder, port_file, pair = sys.argv[1], sys.argv[2], sys.argv[3:]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            with open(os.path.join(folder, self.path.strip("/"))) as file:
                status, _, body = file.read().partition("\n")
        except OSError:
            status, body = "404", ""
        if status == "hang":
            time.sleep(60)
        if not body:  # Patroni sends no header then.
            self.wfile.write(f"HTTP/1.0 {status} -\r\n\r\n".encode())
            return
        self.send_response(int(status))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if pair:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair[:2])
    if pair[2:]:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pair[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
P
  python_in_background "$BATS_TEST_TMPDIR/rest.py" "$ANSWERS" "$STATE_FOLDERS/port" "${@:2}"
  eventually test -s "$STATE_FOLDERS/port"
  published "$(<"$STATE_FOLDERS/port")" "${1-http}"
}

# Publishes where the REST API is to be found; needs the port and the scheme.
published() { printf '%s\n' "$1" 127.0.0.1 "${2-http}" >"$STATE_FOLDERS/patroni.address"; }

# Runs Python in the background as in_background does, or skips. The user that it runs as may see another one than root does.
python_in_background() {
  as_user bash -c 'type -P python3' >/dev/null || skip "no python3 on this machine"
  in_background bash -c 'exec python3 -I "$@"' x "$@"
  # bash would tell of its end.
  disown "$PID"
}

# Skips a test that runs whole programs where the user that they run as has no name, and no library that gives it one.
single_user() {
  as_user bash -c 'getent passwd "$EUID"' >/dev/null || compgen -G '/usr/lib/*/libnss_wrapper.so' >/dev/null \
    || skip "the tests' user has no name, and libnss_wrapper is not on this machine"
}

# Skips a test whose program reads YAML where Python cannot.
python_has_yaml() { as_user bash -c 'exec python3 -I -c "import yaml"' 2>/dev/null || skip "no module yaml on this machine"; }

# Skips a test that takes the real Patroni where it is not.
real_patroni() {
  python3 -I -c 'import patroni' 2>/dev/null || skip "no Patroni on this machine; inside the image this runs"
}

# Makes what the real configuration.py has to find, or skips.
configuration_setup() {
  local program
  real_patroni
  DIR=$STATE_FOLDERS/patroni
  mkdir -p "$DIR/bin"
  for program in pg_ctl initdb pg_controldata pg_basebackup postgres pg_isready pg_rewind; do
    printf '#!/bin/sh\necho "postgres (PostgreSQL) 17.0"\n' >"$DIR/bin/$program"
    chmod 755 "$DIR/bin/$program"
  done
  owned_by_user "$STATE_FOLDERS"
  export PATRONI_ETCD3_HOSTS=127.0.0.1:1 POSTGRES_PASSWORD=hunter2
}

# Runs configuration.py with what the container says; more triples may follow as arguments.
configure() {
  printf '%s\0' name text n1 scope text main address text 192.0.2.7 restapi/listen text 127.0.0.1:8008 \
    restapi/authentication/username text patroni postgresql/listen text 127.0.0.1:5432 postgresql/data_dir text "$PGDATA" postgresql/bin_dir text "$DIR/bin" \
    postgresql/config_dir text "$DIR" postgresql/custom_conf text /conf postgresql/authentication/superuser/username text postgres \
    postgresql/authentication/superuser/password text "$POSTGRES_PASSWORD" \
    postgresql/authentication/replication/username text replicator postgresql/authentication/rewind/username text rewind \
    bootstrap/dcs/ttl number 10 bootstrap/dcs/loop_wait number 2 bootstrap/dcs/retry_timeout number 4 \
    bootstrap/dcs/synchronous_mode flag false "$@" \
    | as_user bash -c 'exec python3 -I "$@"' x "$PATRONI_HOME/configuration.py" "$DIR/patroni.yml" "$DIR/roles"
}

# Prints as JSON what lies at a path in the configuration that was written, null for nothing.
at() {
  python3 -I -c 'import functools, json, sys, yaml
print(json.dumps(functools.reduce(lambda tree, part: (tree or {}).get(part), sys.argv[2].split("/"), yaml.safe_load(open(sys.argv[1])))))' \
    "$STATE_FOLDERS/patroni/patroni.yml" "$1"
}
