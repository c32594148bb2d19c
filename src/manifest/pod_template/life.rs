//! The life of a pod's containers, as a template describes it. All of it has
//! been checked and filled in before.

use crate::api::{ContainerLife, Hook, InitContainer, PodLife, Probe, ProbeKind, PullPolicy};
use crate::manifest::fields::Fields;
use std::sync::Arc;

/// What a pod's spec says, if it says anything.
pub(super) fn of(spec: &Fields) -> Option<Arc<PodLife>> {
    let init = spec.objects("initContainers").iter().map(init_container).collect();
    let containers = spec.objects("containers").iter().map(container).collect();
    let life = PodLife { init, containers };
    let plain = |c: &ContainerLife| ContainerLife { name: c.name.clone(), ..ContainerLife::default() } == *c;
    (!life.init.is_empty() || !life.containers.iter().all(plain)).then(|| Arc::new(life))
}

fn init_container(c: &Fields) -> InitContainer {
    InitContainer { image: c.text("image").into(), sidecar: c.text("restartPolicy") == "Always", life: container(c) }
}

fn container(c: &Fields) -> ContainerLife {
    let pull = match c.text("imagePullPolicy") {
        "Always" => PullPolicy::Always,
        "Never" => PullPolicy::Never,
        _ => PullPolicy::IfNotPresent,
    };
    ContainerLife {
        name: c.text("name").into(),
        pull,
        probes: ProbeKind::ALL.map(|kind| probe(c, &format!("{}Probe", kind.name().to_lowercase()))),
        pre_stop: pre_stop(&c.object("lifecycle")),
    }
}

fn probe(c: &Fields, name: &str) -> Option<Probe> {
    let f = c.has(name).then(|| c.object(name))?;
    let number = |field: &str, default: u32| match f.int(field) {
        // A zero is filled in like nothing at all.
        None | Some(0) => default,
        Some(n) => u32::try_from(n).unwrap_or(default),
    };
    Some(Probe {
        initial_delay_seconds: number("initialDelaySeconds", 0),
        timeout_seconds: number("timeoutSeconds", 1),
        period_seconds: number("periodSeconds", 10),
        success_threshold: number("successThreshold", 1),
        failure_threshold: number("failureThreshold", 3),
        grace_seconds: f.int("terminationGracePeriodSeconds").and_then(|n| u32::try_from(n).ok()),
    })
}

fn pre_stop(lifecycle: &Fields) -> Option<Hook> {
    let hook = lifecycle.has("preStop").then(|| lifecycle.object("preStop"))?;
    Some(match hook.has("sleep") {
        true => Hook::Sleep(hook.object("sleep").int("seconds").and_then(|n| u32::try_from(n).ok()).unwrap_or(0)),
        false => Hook::Handler,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn life(spec: &serde_json::Value) -> Option<Arc<PodLife>> {
        of(&Fields::new(spec, "spec"))
    }

    #[test]
    fn a_plain_template_says_nothing() {
        let plain = json!({"containers": [{"name": "app", "image": "app:v1", "imagePullPolicy": "IfNotPresent"}]});
        assert_eq!(life(&plain), None);
    }

    #[test]
    fn everything_is_read() {
        let life = life(&json!({
            "initContainers": [
                {"name": "migrate", "image": "tool:v1"},
                {"name": "proxy", "image": "proxy:v1", "restartPolicy": "Always"},
            ],
            "containers": [
                {"name": "log", "image": "log:v1", "imagePullPolicy": "Never"},
                {
                    "name": "app",
                    "image": "app",
                    "imagePullPolicy": "Always",
                    "livenessProbe": {"periodSeconds": 5, "terminationGracePeriodSeconds": 3},
                    "lifecycle": {"preStop": {"sleep": {"seconds": 25}}},
                },
            ],
        }))
        .expect("something is said");
        assert_eq!(life.init.iter().map(|c| c.sidecar).collect::<Vec<_>>(), [false, true]);
        assert_eq!(life.containers[0].pull, PullPolicy::Never);
        let app = life.app().expect("a container");
        assert_eq!((&*app.name, app.pull, app.pre_stop), ("app", PullPolicy::Always, Some(Hook::Sleep(25))));
        let probe = Probe {
            initial_delay_seconds: 0,
            timeout_seconds: 1,
            period_seconds: 5,
            success_threshold: 1,
            failure_threshold: 3,
            grace_seconds: Some(3),
        };
        assert_eq!(app.probe(ProbeKind::Liveness), Some(probe));
        assert_eq!(app.probe(ProbeKind::Startup), None);
    }
}
