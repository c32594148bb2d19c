//! What runs a sweep elsewhere: any engine that can run the same command with
//! another number. Shards are idempotent, and exit code 3 alone is worth a
//! retry.

use crate::cli::arguments::{Engine, Sweep};
use crate::cli::table::quote;

/// Shards, if nobody says how many.
const SHARDS: u32 = 8;

/// What an engine takes.
pub(super) fn render(engine: Engine, arguments: &Sweep) -> String {
    let count = arguments.shards.or(arguments.shard.map(|s| s.count)).unwrap_or(SHARDS);
    match engine {
        Engine::Parallel => parallel(arguments, count),
        Engine::Job => job(arguments, count),
    }
}

/// The command without its shard.
fn command(arguments: &Sweep, out: &str) -> Vec<String> {
    let mut words: Vec<String> = ["seatrial", "sweep"].map(str::to_string).to_vec();
    words.extend(arguments.paths.iter().chain(&arguments.files).map(|p| quote(p)));
    for set in &arguments.set {
        words.extend(["--set".to_string(), quote(set)]);
    }
    let seeds = match arguments.seeds {
        crate::cli::arguments::SeedRange::Count(count) => count.to_string(),
        crate::cli::arguments::SeedRange::From(first, count) => format!("{first}..{}", first + u64::from(count) - 1),
    };
    words.extend(["--seeds".to_string(), seeds]);
    if let Some(seed) = arguments.seed {
        words.extend(["--seed".to_string(), seed.to_string()]);
    }
    if arguments.independent {
        words.push("--independent".to_string());
    }
    if let Some(workload) = &arguments.workload {
        words.extend(["--workload".to_string(), quote(workload)]);
    }
    for figure in &arguments.figure {
        words.extend(["--figure".to_string(), quote(figure)]);
    }
    words.extend(["--out".to_string(), quote(out)]);
    words
}

/// A folder for the parts.
fn out(arguments: &Sweep) -> String {
    arguments.out.as_ref().map_or_else(|| "sweep".to_string(), |p| p.display().to_string())
}

/// One line for a shell with GNU parallel.
fn parallel(arguments: &Sweep, count: u32) -> String {
    let out = out(arguments);
    let shard = format!("{} --shard {{}}/{count}; [ $? -ne 3 ]", command(arguments, &out).join(" "));
    let last = count.saturating_sub(1);
    format!("seq 0 {last} | parallel --retries 3 {} && seatrial merge {}\n", quote(&shard), quote(&out))
}

/// A Job that runs a shard in each of its pods.
fn job(arguments: &Sweep, count: u32) -> String {
    let command = command(arguments, &out(arguments)).join(" ");
    // A JSON string is a YAML string too.
    let script = serde_json::Value::from(format!("{command} --shards {count}; code=$?; [ $code -eq 1 ] || exit $code"));
    format!(
        "\
# The files of the scenario and the folder of --out are on the volume `data`.
# When all pods have succeeded, run `seatrial merge` on the folder.
apiVersion: batch/v1
kind: Job
metadata:
  name: seatrial-sweep
spec:
  completionMode: Indexed
  completions: {count}
  parallelism: {count}
  backoffLimitPerIndex: 3
  podFailurePolicy:
    rules:
    - action: Ignore                # a lost machine is nobody's fault
      onPodConditions:
      - type: DisruptionTarget
    - action: FailJob               # bad input does not get better
      onExitCodes:
        containerName: seatrial
        operator: In
        values: [2]
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: seatrial
        image: seatrial:{version}
        workingDir: /data
        # Exit code 1 says that an assertion failed: the results are there.
        command: [sh, -c, {script}]
        resources:
          requests: {{cpu: \"1\", memory: 256Mi}}
        volumeMounts:
        - {{name: data, mountPath: /data}}
      volumes:
      - name: data
        persistentVolumeClaim: {{claimName: seatrial}}
",
        version = env!("CARGO_PKG_VERSION"),
    )
}
