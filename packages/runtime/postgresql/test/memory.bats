#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  export MEMORY_INFO=$BATS_TEST_TMPDIR/meminfo
  printf 'MemFree: 1 kB\nMemTotal:        8388608 kB\nCached: 1 kB\n' >"$MEMORY_INFO"
}

@test "memory_limit: cgroup 2, cgroup 1, none, one above the machine's" {
  run -0 with_postgresql 'memory_limit; echo "<$REPLY>"'
  [ "$output" = '<>' ]
  mkdir "$MEMORY_CGROUP/memory"
  echo 268435456 >"$MEMORY_CGROUP/memory/memory.limit_in_bytes"
  run -0 with_postgresql 'memory_limit; echo "$REPLY"'
  [ "$output" = 256 ]
  echo 9223372036854771712 >"$MEMORY_CGROUP/memory/memory.limit_in_bytes"
  run -0 with_postgresql 'memory_limit; echo "<$REPLY>"'
  [ "$output" = '<>' ]
  echo 1073741824 >"$MEMORY_CGROUP/memory.max"
  run -0 with_postgresql 'memory_limit; echo "$REPLY"'
  [ "$output" = 1024 ]
  echo max >"$MEMORY_CGROUP/memory.max"
  run -0 with_postgresql 'memory_limit; echo "<$REPLY>"'
  [ "$output" = '<>' ]
  echo 8589934592 >"$MEMORY_CGROUP/memory.max"
  run -0 with_postgresql 'memory_limit; echo "<$REPLY>"'
  [ "$output" = '<>' ]
}

@test "memory_buffers_are_initdbs: only the line as initdb writes it is nobody's choice" {
  local file=$BATS_TEST_TMPDIR/x.conf
  run -0 with_postgresql 'memory_buffers_are_initdbs /none'
  printf '#shared_buffers = 1MB\nshared_buffers_x = 1\n' >"$file"
  run -0 with_postgresql "memory_buffers_are_initdbs '$file'"
  printf 'shared_buffers = 128MB\t\t\t# min 128kB\n' >"$file"
  run -0 with_postgresql "memory_buffers_are_initdbs '$file'"
  echo ' shared_buffers=64MB' >>"$file"
  run -1 with_postgresql "memory_buffers_are_initdbs '$file'"
  echo 'shared_buffers = 128MB' >"$file"
  run -1 with_postgresql "memory_buffers_are_initdbs '$file'"
}

@test "memory_config: quarters of the limit, maintenance_work_mem where it is small, nothing without a limit" {
  run -0 with_postgresql 'memory_config; echo "<$MEMORY_DEFAULTS$MEMORY_BUFFERS>"'
  [ "$output" = '<>' ]
  echo 4294967296 >"$MEMORY_CGROUP/memory.max"
  run -0 with_postgresql 'memory_config; echo "$MEMORY_DEFAULTS$MEMORY_BUFFERS"'
  [ "$output" = $'effective_cache_size = 3072MB\nshared_buffers = 1024MB' ]
  echo 268435456 >"$MEMORY_CGROUP/memory.max"
  run -0 with_postgresql 'memory_config; echo "$MEMORY_DEFAULTS$MEMORY_BUFFERS"'
  [ "$output" = $'effective_cache_size = 192MB\nmaintenance_work_mem = 16MB\nshared_buffers = 64MB' ]
  echo 1048576 >"$MEMORY_CGROUP/memory.max"
  run -0 with_postgresql 'memory_config; echo "$MEMORY_DEFAULTS$MEMORY_BUFFERS"'
  [ "$output" = $'effective_cache_size = 1MB\nmaintenance_work_mem = 1MB\nshared_buffers = 8MB' ]
}
