#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  real_patroni
}

# Runs Python with launch.py loaded as a module; needs the code.
with_launch() { as_user bash -c 'exec python3 -I -c "import sys; sys.path.insert(0, sys.argv[1]); import logging, launch; from patroni.config import Config
$2" "$1"' x "$PATRONI_HOME" "$1"; }

@test "launch.py: is Patroni, with its own arguments" {
  run -0 as_user bash -c 'python3 "$1" --version' x "$PATRONI_HOME/launch.py"
  [[ $output == *' '[0-9].* ]]
  run -1 as_user bash -c 'python3 "$1" /none.yml' x "$PATRONI_HOME/launch.py"
  [[ $output != *Traceback* ]]
}

@test "launch.py: a ttl may be as small as 5, and no smaller; the other limits stay" {
  run -0 with_launch 'config = Config.__new__(Config)
if launch.adjust is None: print("none"); sys.exit()
for name, value, smallest in (("ttl", 5, 20), ("ttl", 4, 20), ("ttl", 30, 20), ("loop_wait", 0, 1), ("retry_timeout", 1, 3)):
  settings = {name: value}; print(name, getattr(config, launch.NAME)(settings, name, smallest), settings[name])'
  [[ $output == none || $(grep -v smaller <<<"$output") == $'ttl 5 5\nttl 5 5\nttl 30 30\nloop_wait 1 1\nretry_timeout 3 3' ]]
}

@test "launch.py: the rule that makes a ttl safe stays in force" {
  run -0 with_launch 'config = Config.__new__(Config); settings = {"ttl": 10, "loop_wait": 2, "retry_timeout": 4}
unsafe = {"ttl": 10, "loop_wait": 10, "retry_timeout": 10}
if not hasattr(config, "_validate_and_adjust_timeouts"): print("none"); sys.exit()
logging.disable(logging.CRITICAL)
for one in (settings, unsafe): config._validate_and_adjust_timeouts(one); print(one["ttl"], one["loop_wait"] + 2 * one["retry_timeout"] <= one["ttl"])
print(settings)'
  [[ $output == none || $output == $'10 True\n10 True\n{\'ttl\': 10, \'loop_wait\': 2, \'retry_timeout\': 4}' ]]
}

@test "launch.py: a password in any letters is a literal that may stand between dollar signs, in Patroni's own statements" {
  run -0 with_launch 'import patroni.postgresql.bootstrap as bootstrap
assert bootstrap.quote_literal is launch.quote
for text in ("plain", "it\x27s \\ \"x\"", "$$ or $body$", "\u4e16\u00e9", 7): print(bootstrap.quote_literal(text).encode().hex())'
  local -a wanted=("E'plain'" "E'it''s "'\\ "x"'"'" "E'"'\x24\x24 or \x24body\x24'"'" "E'世é'" "E'7'")
  local i
  for i in "${!wanted[@]}"; do [ "${lines[i]}" = "$(printf '%s' "${wanted[i]}" | od -An -v -tx1 | tr -d ' \n')" ]; done
}

@test "launch.py: a heartbeat that says the same again is not said, anything else is" {
  run -0 with_launch 'logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
log = logging.getLogger("patroni.__main__")
for text in ("no action. I am (n1), the leader", "no action. I am (n1), the leader", "promoted", "promoted", "no action. I am (n1), the leader", "no action. I am (n1), a secondary"): log.info(text)
logging.getLogger("other").info("no action"); logging.getLogger("other").info("no action")'
  [ "$output" = 'no action. I am (n1), the leader
promoted
promoted
no action. I am (n1), the leader
no action. I am (n1), a secondary
no action
no action' ]
}

# Runs diverged.py in Patroni's own classes, with a server that says what is given, one loop after another; needs the code.
with_replica() { with_launch 'import diverged
from unittest.mock import Mock, create_autospec
from patroni.ha import Ha
from patroni.postgresql import Postgresql
from patroni.postgresql.rewind import REWIND_STATUS as S, Rewind
class Asked(Rewind):
  can_rewind_or_reinitialize_allowed, asked = True, 0
  def _check_timeline_and_lsn(self, leader): self.asked += 1; self._state = S.NOT_NEED
server = create_autospec(Postgresql, instance=True)
leader = Mock(conn_url="postgres://n1", data={"timeline": 20}); leader.name = "n1"
rewind = Asked(server); rewind._state = S.NOT_NEED
ha = Ha.__new__(Ha)
ha._rewind, ha.state_handler, ha.cluster = rewind, server, Mock(leader=leader)
ha.is_paused = ha.is_standby_cluster = lambda: False
def loops(count, name="n2", runs=True, timeline=19, replayed=100):
  server.name, server.is_running.return_value = name, runs
  server.replica_cached_timeline.return_value, server.replayed_location.return_value = timeline, replayed
  before = rewind.asked
  for _ in range(count): assert not ha._handle_rewind_or_reinitialize()
  return rewind.asked - before
'"$1"; }

@test "diverged.py: a replica that stands still on another timeline than its leader is compared again, once" {
  run -0 with_replica 'print(loops(1), loops(1), loops(5), loops(1, replayed=101), loops(4, replayed=101), loops(1))'
  [ "$output" = "0 1 0 0 1 0" ]
}

@test "diverged.py: one that gets on, is on its leader's timeline, leads, does not run, or follows nobody is not" {
  run -0 with_replica 'print(sum(loops(1, replayed=position) for position in range(9)))
print(loops(3, timeline=20), loops(3, timeline=None), loops(3, replayed=None), loops(3, name="n1"), loops(3, runs=False))
leader.data = {}; print(loops(3)); leader.data = {"timeline": 20}
ha.is_paused = lambda: True; print(loops(3)); ha.is_paused = lambda: False
ha.cluster.leader = None; print(loops(3))'
  [ "$output" = $'0\n0 0 0 0 0\n0\n0\n0' ]
}

@test "diverged.py: what cannot be found out leaves the answer as it is, and so does a rewind that failed" {
  run -0 with_replica 'logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
rewind._state = S.FAILED; print(loops(3), rewind._state == S.FAILED)
rewind._state = S.NOT_NEED; server.replica_cached_timeline.side_effect = OSError("no"); print(loops(3), rewind._state == S.NOT_NEED)'
  [[ $output == "0 True"*"Whether this node stands apart"*"OSError: no"*"0 True" ]]
}

# Runs restarted.py in Patroni's own classes, with a server of the states and answers that are given; needs the code.
with_state() { with_launch 'import restarted
from unittest.mock import Mock, create_autospec
from patroni.ha import Ha
from patroni.postgresql import Postgresql, STATE_NO_RESPONSE, STATE_REJECT, STATE_RUNNING
def looked(state, answer=STATE_RUNNING, runs=True):
  server = create_autospec(Postgresql, instance=True)
  server.state, server._Postgresql__cb_pending = state, None
  server.slots_handler, server.config = Mock(), Mock()
  server.set_state.side_effect = lambda text: setattr(server, "state", text)
  server.is_starting.side_effect = lambda: server.state == "starting"
  for name in ("check_for_startup", "check_startup_state_changed"):
    getattr(server, name).side_effect = lambda name=name: getattr(Postgresql, name)(server)
  server.pg_isready.return_value, server.is_running.return_value = answer, runs
  ha = Ha.__new__(Ha)
  ha.state_handler, ha._start_timeout, ha._async_executor = server, None, Mock()
  ha.is_paused = ha.has_lock = lambda: False
  ha.handle_starting_instance()
  return server.state
'"$1"; }

@test "restarted.py: a server that runs is not one whose start failed" {
  run -0 with_state 'print(looked("start failed"), looked("restart failed (stopping)"), looked("start failed", STATE_REJECT))'
  [ "${lines[-1]}" = "running running starting" ]
  [[ ${lines[0]} == *"its state is 'start failed'"* ]]
}

@test "restarted.py: one that does not run keeps its state, and so does one whose state says nothing of a start" {
  run -0 with_state 'print(looked("start failed", STATE_NO_RESPONSE, runs=False), looked("running"), looked("stop failed"), looked("stopped"))'
  [ "$output" = "start failed running stop failed stopped" ]
}

# Runs etcd3_lock.py; needs what renew_lock.py needs.
renew_lock() { as_user bash -c 'exec python3 -I "$@"' x "$BATS_TEST_DIRNAME/renew_lock.py" "$PATRONI_HOME" "$@"; }

@test "etcd3_lock.py: a lock is renewed while it is the node's own or free, and left to another who has it" {
  run -0 renew_lock n1 live
  if [[ $output == "compares by itself" ]]; then skip "this release of Patroni compares by itself"; fi
  [ "$output" = "True n1" ]
  run -0 renew_lock n1 gone
  [ "$output" = "True n1 VALUE" ]
  run -0 renew_lock "" gone
  [ "$output" = "True n1 VALUE CREATE" ]
  run -0 renew_lock n2 gone
  [ "$output" = "False n2 VALUE CREATE" ]
}

@test "etcd3_lock.py: a token that has expired is asked for anew, and the lock is still left to another" {
  run -0 renew_lock n1 gone expired
  if [[ $output == "compares by itself" ]]; then skip "this release of Patroni compares by itself"; fi
  [ "$output" = "True n1 VALUE login VALUE" ]
  run -0 renew_lock n2 gone expired
  [ "$output" = "False n2 VALUE login VALUE CREATE" ]
}
