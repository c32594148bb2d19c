//! The names that a scenario knows: objects, nodes, actions.

use super::{duration, suggest};
use crate::api::Kind;
use crate::assertion::Moment;
use crate::time::SimTime;

/// An object that the scenario applies at some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Everything that names may refer to.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The objects.
    pub objects: Vec<Named>,
    /// The nodes with their zones, those that join later included.
    pub nodes: Vec<(String, String)>,
    /// The pools.
    pub pools: Vec<String>,
    /// The actions, those at a known time in order of time: their name and
    /// their verb.
    pub actions: Vec<(Vec<String>, Moment)>,
    /// Where the run ends.
    pub until: SimTime,
    /// The Services that requests are sent to: namespace and name.
    pub traffic: Vec<(String, String)>,
}

/// A message and, where there is one, advice.
pub type Refusal = (String, Option<String>);

impl Scope {
    /// The object that a text such as `deployment/web` or
    /// `shop/deployment/web` means.
    ///
    /// # Errors
    /// Why it means none, with the nearest one that exists.
    pub fn object(&self, text: &str) -> Result<&Named, Refusal> {
        let (namespace, kind, name) = split(text).ok_or_else(|| self.not_an_object(text))?;
        let fits = |o: &&Named| o.kind == kind && o.name == name && namespace.is_none_or(|n| n == o.namespace);
        let mut found = self.objects.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (Some(one), Some(other)) => Err((
                format!("there are several {text}: in the namespaces {} and {}", one.namespace, other.namespace),
                Some(format!("write {}/{text}", one.namespace)),
            )),
            (None, _) => Err((format!("there is no {text} in this scenario"), self.near_object(text))),
        }
    }

    fn not_an_object(&self, text: &str) -> Refusal {
        let message = format!("`{text}` does not name an object");
        let same_name = self.objects.iter().find(|o| o.name == text);
        let advice = same_name.map(|o| format!("write {}", path(o)));
        (
            message,
            advice
                .or_else(|| self.near_object(text))
                .or_else(|| Some("write KIND/NAME, such as deployment/web".to_string())),
        )
    }

    /// The names of objects that come near, or all if there are few.
    fn near_object(&self, text: &str) -> Option<String> {
        let all: Vec<String> = self.objects.iter().map(path).collect();
        let near = suggest::nearest(text, all.iter().map(String::as_str));
        match near {
            Some(near) => Some(format!("did you mean {near}?")),
            None if (1..=5).contains(&all.len()) => Some(format!("there is {}", all.join(", "))),
            None => None,
        }
    }

    /// The nodes that a text means: a name, a pattern with `*`, or `zone/a`.
    ///
    /// # Errors
    /// Why it means none, with the nearest one that exists.
    pub fn nodes(&self, text: &str) -> Result<Vec<String>, Refusal> {
        let text = text.strip_prefix("node/").unwrap_or(text);
        let found: Vec<String> = match text.strip_prefix("zone/") {
            Some(zone) => self.nodes.iter().filter(|n| n.1 == zone).map(|n| n.0.clone()).collect(),
            None => self.nodes.iter().filter(|n| matches(text, &n.0)).map(|n| n.0.clone()).collect(),
        };
        if !found.is_empty() {
            return Ok(found);
        }
        if let Some(pool) = text.strip_prefix("pool/") {
            return Err(self.no_pool(pool));
        }
        let near = suggest::nearest(text, self.nodes.iter().map(|n| n.0.as_str()));
        let advice = near.map(|n| format!("did you mean {n}?")).or_else(|| {
            let names: Vec<&str> = self.nodes.iter().map(|n| n.0.as_str()).take(6).collect();
            let more = if self.nodes.len() > 6 { ", …" } else { "" };
            (!names.is_empty()).then(|| format!("the nodes are {}{more}", names.join(", ")))
        });
        Err((format!("there is no node {text} in this scenario"), advice))
    }

    fn no_pool(&self, pool: &str) -> Refusal {
        let near = suggest::nearest(pool, self.pools.iter().map(String::as_str));
        let hint = match near {
            Some(near) => Some(format!("did you mean pool/{near}?")),
            None if self.pools.is_empty() => Some("this scenario has no pools".to_string()),
            None => Some(format!("the pools are {}", self.pools.join(", "))),
        };
        (format!("there is no pool {pool} in this scenario"), hint)
    }

    /// Refuses a pattern of pods that can fit none: `web/1#0` is a pod of
    /// something called `web`.
    ///
    /// # Errors
    /// That there is nothing of this name, with the nearest one that exists.
    pub fn could_be_pods(&self, pattern: &str) -> Result<(), Refusal> {
        let Some((owner, _)) = pattern.split_once('/').filter(|(owner, _)| !owner.contains('*')) else { return Ok(()) };
        let workloads = || self.objects.iter().filter(|o| o.kind.is_workload()).map(|o| o.name.as_str());
        // Jobs are called after their CronJob and a number.
        let of = |name: &str| owner.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if workloads().any(of) {
            return Ok(());
        }
        let hint = suggest::nearest(owner, workloads()).map(|near| format!("did you mean {near}/*?"));
        Err((format!("there is no workload {owner} in this scenario"), hint))
    }

    /// When the first action happens of those whose time is known, or when the
    /// run begins.
    pub fn first_action(&self) -> SimTime {
        let known = |(_, moment): &(Vec<String>, Moment)| match moment {
            Moment::At(at) => Some(*at),
            Moment::After { .. } => None,
        };
        self.actions.iter().filter_map(known).min().unwrap_or_default()
    }

    /// When the first action of that name (or verb) happens.
    ///
    /// # Errors
    /// That there is none, with the nearest one that exists.
    pub fn action(&self, name: &str) -> Result<Moment, Refusal> {
        if let Some(found) = self.actions.iter().find(|a| a.0.iter().any(|n| n == name)) {
            return Ok(found.1);
        }
        let names: Vec<&str> = self.actions.iter().flat_map(|a| &a.0).map(String::as_str).collect();
        let advice = match suggest::nearest(name, names.iter().copied()) {
            Some(near) => Some(format!("did you mean {near}?")),
            None if duration::parse(name).is_ok() => {
                Some("times of the run are given by `from` and `until`".to_string())
            }
            None if names.is_empty() => Some("this scenario has no actions".to_string()),
            None => Some(format!("the actions are {}", names.join(", "))),
        };
        Err((format!("there is no action {name}"), advice))
    }
}

/// `deployment/web`, with its namespace if that is not the default one.
pub(super) fn path(object: &Named) -> String {
    let plain = format!("{}/{}", object.kind.name().to_lowercase(), object.name);
    if object.namespace.is_empty() || object.namespace == "default" {
        plain
    } else {
        format!("{}/{plain}", object.namespace)
    }
}

/// Namespace, kind and name of `deployment/web` or `shop/deployment/web`.
fn split(text: &str) -> Option<(Option<&str>, Kind, &str)> {
    let (first, rest) = text.split_once('/')?;
    if let Some(kind) = Kind::parse(first) {
        return (!rest.is_empty()).then_some((None, kind, rest));
    }
    let (second, name) = rest.split_once('/')?;
    Kind::parse(second).filter(|_| !name.is_empty()).map(|kind| (Some(first), kind, name))
}

/// Whether a text fits a pattern in which `*` stands for anything.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| matches(tail, &rest[i..]))
        }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Two Deployments called web in two namespaces, one called api.
    pub(crate) fn scope() -> Scope {
        let named = |namespace: &str, name: &str| Named {
            kind: Kind::Deployment,
            namespace: namespace.to_string(),
            name: name.to_string(),
        };
        Scope {
            objects: vec![named("default", "api"), named("default", "web"), named("shop", "web")],
            pools: Vec::new(),
            nodes: [("a-1", "a"), ("a-2", "a"), ("b-1", "b")].map(|(n, z)| (n.into(), z.into())).to_vec(),
            actions: vec![
                (vec!["ship".to_string(), "setImage".to_string()], Moment::At(SimTime::from_secs(30))),
                (vec!["scale".to_string()], Moment::At(SimTime::from_secs(60))),
            ],
            until: SimTime::from_secs(600),
            traffic: Vec::new(),
        }
    }

    #[test]
    fn names_are_found_or_explained() {
        let scope = scope();
        for (text, wanted) in [
            ("deployment/api", "default/api"),
            ("deploy/api", "default/api"),
            ("shop/deployment/web", "shop/web"),
            ("default/deployments/web", "default/web"),
        ] {
            let found = scope.object(text).map(|o| format!("{}/{}", o.namespace, o.name));
            assert_eq!(found.as_deref(), Ok(wanted), "{text}");
        }
        for (text, message, hint) in [
            ("deployment/web", "several deployment/web", "write default/deployment/web"),
            ("deployment/apii", "no deployment/apii", "did you mean deployment/api?"),
            ("api", "does not name", "write deployment/api"),
            ("statefulset/db", "no statefulset/db", ""),
            ("", "does not name", "there is"),
        ] {
            let (m, h) = scope.object(text).unwrap_err();
            assert!(m.contains(message), "{text}: {m}");
            assert!(hint.is_empty() || h.as_ref().is_some_and(|h| h.contains(hint)), "{text}: {h:?}");
        }
        for (text, wanted) in [("a-1", 1), ("node/a-1", 1), ("a-*", 2), ("zone/b", 1), ("*", 3), ("*-1", 2)] {
            assert_eq!(scope.nodes(text).map(|n| n.len()), Ok(wanted), "{text}");
        }
        assert!(scope.nodes("a-11").unwrap_err().1.unwrap().contains("did you mean a-1"));
        assert!(scope.nodes("zone/c").is_err());
        assert_eq!(scope.action("ship"), Ok(Moment::At(SimTime::from_secs(30))));
        assert_eq!(scope.action("scale"), Ok(Moment::At(SimTime::from_secs(60))));
        assert!(scope.action("sclae").unwrap_err().1.unwrap().contains("did you mean scale"));
    }
}
