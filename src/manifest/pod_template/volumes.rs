//! Volumes and where containers mount them.

use crate::api::PodClaim;
use crate::manifest::fields::Fields;
use crate::manifest::problems::Problems;
use crate::manifest::{suggest, syntax};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Checks `spec.volumes` and returns the names that mounts may use.
///
/// Upstream: `pkg/apis/core/validation/validation.go ValidateVolumes`
pub(super) fn check<'a>(spec: &Fields<'a>, problems: &mut Problems) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for volume in spec.objects("volumes") {
        for extra in volume.names().filter(|n| *n != "name").skip(1) {
            problems.forbidden(&volume.path(extra), "may not specify more than 1 volume type");
        }
        check_source(&volume, problems);
        let (name, path) = (volume.text("name"), volume.path("name"));
        if name.is_empty() {
            problems.required(&path, "");
        } else {
            problems.invalid_text(&path, name, &syntax::dns_label(name));
        }
        if !names.insert(name) {
            problems.duplicate(&path, name);
        }
    }
    names
}

/// The claims that volumes are.
pub(super) fn claims(spec: &Fields) -> Arc<[PodClaim]> {
    let claim = |volume: &Fields| {
        let claim = volume.object("persistentVolumeClaim").text("claimName");
        (!claim.is_empty()).then(|| PodClaim { volume: volume.text("name").into(), claim: claim.into() })
    };
    spec.objects("volumes").iter().filter_map(claim).collect()
}

/// What a source cannot do without.
fn check_source(volume: &Fields, problems: &mut Problems) {
    for (source, field) in [
        ("hostPath", "path"),
        ("secret", "secretName"),
        ("configMap", "name"),
        ("persistentVolumeClaim", "claimName"),
        ("nfs", "server"),
        ("nfs", "path"),
        ("csi", "driver"),
    ] {
        let f = volume.object(source);
        if volume.has(source) && f.text(field).is_empty() {
            problems.required(&f.path(field), "");
        }
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidateVolumeMounts`
pub(super) fn check_mounts(container: &Fields, volumes: &BTreeSet<&str>, problems: &mut Problems) {
    let devices = container.objects("volumeDevices");
    let mut paths = BTreeSet::new();
    for mount in container.objects("volumeMounts") {
        let (name, target) = (mount.text("name"), mount.text("mountPath"));
        check_reference(&mount, volumes, problems);
        if target.is_empty() {
            problems.required(&mount.path("mountPath"), "");
        }
        if !paths.insert(target) {
            problems.invalid(&mount.path("mountPath"), target, "must be unique");
        }
        if devices.iter().any(|d| d.text("name") == name) {
            problems.invalid(&mount.path("name"), name, "must not already exist in volumeDevices");
        }
    }
    let mut paths = BTreeSet::new();
    for device in devices {
        let target = device.text("devicePath");
        check_reference(&device, volumes, problems);
        if target.is_empty() {
            problems.required(&device.path("devicePath"), "");
        }
        if !paths.insert(target) {
            problems.invalid(&device.path("devicePath"), target, "must be unique");
        }
    }
}

fn check_reference(user: &Fields, volumes: &BTreeSet<&str>, problems: &mut Problems) {
    let (name, path) = (user.text("name"), user.path("name"));
    if name.is_empty() {
        problems.required(&path, "");
    } else if !volumes.contains(name) {
        let message = format!("Not found: {name:?}");
        match suggest::closest(name, volumes.iter().copied()) {
            Some(near) => problems.add_with_hint(&path, message, format!("did you mean {near:?}?")),
            None => problems.add_with_hint(&path, message, "there is no such entry in volumes"),
        }
    }
}
