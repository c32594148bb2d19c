# What CI runs.
check:
    bash .ci/run

# All tests.
test:
    cargo test

# Rewrite golden files after a change that is meant.
golden:
    UPDATE=1 cargo test

# Benchmarks; the fleet of 5,000 nodes too.
bench:
    FLEET=1 cargo bench
