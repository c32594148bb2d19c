//! The API server: what becomes of a request.

use super::objects::Objects;
use super::table::{Stored, WithStatus};
use super::watch::{Change, Row};
use crate::api::{Deletion, Finalizers, Key, Kind, Meta, OwnerRef, Pod, Propagation, Uid};
use crate::time::Timestamp;
use std::fmt;
use std::sync::Arc;

/// Why the API server refused a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApiError {
    /// 404: there is no such object.
    NotFound,
    /// 409 on create: the name is taken.
    AlreadyExists,
    /// 409 on update: somebody wrote the object meanwhile.
    Conflict,
    /// 422: the object is not valid.
    Invalid(String),
    /// There is no answer.
    Unavailable,
    /// 403: it may not be done.
    Forbidden(String),
    /// 429: not now.
    TooManyRequests(String),
    /// 500: the server cannot do it.
    Internal(String),
}

impl ApiError {
    /// The `reason` of the status that the API server answers with.
    pub const fn reason(&self) -> &'static str {
        match self {
            ApiError::NotFound => "NotFound",
            ApiError::AlreadyExists => "AlreadyExists",
            ApiError::Conflict => "Conflict",
            ApiError::Invalid(_) => "Invalid",
            ApiError::Unavailable => "ServiceUnavailable",
            ApiError::Forbidden(_) => "Forbidden",
            ApiError::TooManyRequests(_) => "TooManyRequests",
            ApiError::Internal(_) => "InternalError",
        }
    }
}

/// In the API server's words, as far as it says more than the reason.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ApiError::NotFound => "not found",
            ApiError::AlreadyExists => "already exists",
            ApiError::Conflict => {
                "the object has been modified; please apply your changes to the latest version and try again"
            }
            ApiError::Unavailable => "the server is currently unable to handle the request",
            ApiError::Invalid(message)
            | ApiError::Forbidden(message)
            | ApiError::TooManyRequests(message)
            | ApiError::Internal(message) => message,
        })
    }
}

/// What a DELETE of a pod came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PodDeletion {
    /// It was removed at once; whether that was its first deletion.
    Removed {
        /// No deletion had been asked for before.
        first: bool,
    },
    /// Its deletion was noted, with this grace period in seconds.
    Marked(u32),
    /// It had been asked for before.
    AlreadyDeleting,
}

/// All objects and the counters that only the API server has.
#[derive(Clone, Debug, Default)]
pub struct Store {
    objects: Objects,
    revision: u64,
    uids: u32,
    generated_names: u32,
    /// What the API server's clock shows.
    pub now: Timestamp,
    changes: Vec<Change>,
}

/// Letters of generated names, in byte order so that later names sort after
/// earlier ones. No vowels, as upstream, so that no words come out.
const NAME_LETTERS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";

/// The longest beginning of a generated name; what is longer is cut off.
const LONGEST_PREFIX: usize = 58;

impl Store {
    /// The objects as they are.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Takes what has changed since the last call.
    pub fn take_changes(&mut self, into: &mut Vec<Change>) {
        into.append(&mut self.changes);
    }

    /// Whether anything has changed since the last [`Store::take_changes`].
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// A copy of an object for a cache that lags.
    pub fn row(&self, key: Key) -> Row {
        self.objects.row(key)
    }

    /// The name for an object that is only given its beginning. Real names
    /// are random; these count up, so that name order is creation order and
    /// a run can be repeated.
    ///
    /// Upstream: `staging/src/k8s.io/apiserver/pkg/storage/names/generate.go GenerateName`
    pub fn generate_name(&mut self, prefix: &str) -> Arc<str> {
        let prefix = prefix.get(..LONGEST_PREFIX).unwrap_or(prefix);
        let mut n = self.generated_names;
        self.generated_names += 1;
        let mut suffix = [b'b'; 5];
        for letter in suffix.iter_mut().rev() {
            *letter = NAME_LETTERS[n as usize % NAME_LETTERS.len()];
            n /= NAME_LETTERS.len() as u32;
        }
        let mut name = String::with_capacity(prefix.len() + suffix.len());
        name.push_str(prefix);
        name.extend(suffix.iter().map(|&b| b as char));
        name.into()
    }

    fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    fn admit(&mut self, meta: &mut Meta) {
        self.uids += 1;
        meta.uid = Uid(self.uids);
        meta.resource_version = self.next_revision();
        meta.generation = 1;
        meta.created = self.now;
        meta.deletion = None;
    }

    fn note(&mut self, change: Option<Change>) {
        self.changes.extend(change);
    }

    /// Creates an object.
    ///
    /// # Errors
    /// If there is one of this kind and name.
    pub fn create<T: Stored>(&mut self, mut row: T) -> Result<Key, ApiError> {
        if T::table(&self.objects).find(&row.meta().namespace, &row.meta().name).is_some() {
            return Err(ApiError::AlreadyExists);
        }
        self.admit(row.meta_mut());
        row.clear_status();
        let slot = T::table(&self.objects).next_slot();
        let change = self.objects.put(slot, row);
        self.changes.push(change);
        Ok(change.key)
    }

    /// Checks that an object is there and, if a version is given, that
    /// nobody has written it since.
    fn check(&self, key: Key, version: Option<u64>) -> Result<&Meta, ApiError> {
        let meta = self.objects.meta(key).ok_or(ApiError::NotFound)?;
        match version {
            Some(version) if version != meta.resource_version => Err(ApiError::Conflict),
            _ => Ok(meta),
        }
    }

    /// Writes an object, but not its owners, and hands out what it was before.
    /// A write that changes nothing leaves the version as it is and hands out
    /// nothing; one of the spec counts as a new generation.
    ///
    /// # Errors
    /// If it is gone, or if `version` is given and not the newest.
    pub fn update<T: Stored>(
        &mut self,
        key: Key,
        version: Option<u64>,
        write: impl FnOnce(&mut T),
    ) -> Result<Option<T>, ApiError> {
        self.check(key, version)?;
        let old = T::table(&self.objects).get(key).ok_or(ApiError::NotFound)?;
        let mut new = old.clone();
        write(&mut new);
        if new == *old {
            return Ok(None);
        }
        let generation = old.meta().generation + i64::from(new.is_new_generation(old));
        let new_version = self.next_revision();
        new.meta_mut().generation = generation;
        new.meta_mut().resource_version = new_version;
        let change = self.objects.update(key, |row: &mut T| std::mem::swap(row, &mut new));
        self.note(change);
        Ok(Some(new))
    }

    /// Writes the status of an object and puts the one before in its place.
    /// Answers whether the two differ: else nothing is written.
    ///
    /// # Errors
    /// If it is gone, or if `version` is given and not the newest.
    pub fn update_status<T: WithStatus>(
        &mut self,
        key: Key,
        version: Option<u64>,
        status: &mut T::Status,
    ) -> Result<bool, ApiError> {
        self.check(key, version)?;
        if T::table(&self.objects).get(key).ok_or(ApiError::NotFound)?.status() == status {
            return Ok(false);
        }
        let new_version = self.next_revision();
        let change = self.objects.update(key, |row: &mut T| {
            std::mem::swap(row.status_mut(), status);
            row.meta_mut().resource_version = new_version;
        });
        self.note(change);
        Ok(true)
    }

    /// Writes a pod: its status, its binding or its labels. Unlike
    /// [`Store::update`] it does not ask whether anything changed.
    ///
    /// # Errors
    /// If there is no such pod.
    pub fn update_pod(&mut self, key: Key, write: impl FnOnce(&mut Pod)) -> Result<(), ApiError> {
        self.check(key, None)?;
        let version = self.next_revision();
        let change = self.objects.update(key, |pod: &mut Pod| {
            write(pod);
            pod.meta.resource_version = version;
        });
        self.note(change);
        Ok(())
    }

    /// Asks for the deletion of a pod.
    ///
    /// A pod that no kubelet runs, because it was never bound or has
    /// finished, goes at once whatever the grace period.
    ///
    /// Upstream: `pkg/registry/core/pod/strategy.go CheckGracefulDelete`
    ///
    /// # Errors
    /// If there is no such pod.
    pub fn delete_pod(&mut self, key: Key, grace_seconds: Option<u32>) -> Result<PodDeletion, ApiError> {
        let pod = self.objects.pods.get(key).ok_or(ApiError::NotFound)?;
        let grace = match grace_seconds {
            _ if pod.node.is_none() || pod.is_finished() => 0,
            Some(seconds) => seconds,
            None => pod.template.grace_seconds,
        };
        let first = pod.meta.deletion.is_none();
        let deletion = Deletion { at: self.now, grace_seconds: grace };
        if grace == 0 && pod.meta.finalizers.is_empty() {
            self.remove(key);
            return Ok(PodDeletion::Removed { first });
        }
        if let Some(old) = pod.meta.deletion {
            // A deletion may be hastened but not put off.
            if grace < old.grace_seconds {
                self.update_pod(key, |pod| pod.meta.deletion = Some(Deletion { grace_seconds: grace, ..old }))?;
            }
            return Ok(PodDeletion::AlreadyDeleting);
        }
        self.update_pod(key, |pod| pod.meta.deletion = Some(deletion))?;
        Ok(PodDeletion::Marked(grace))
    }

    /// Asks for the deletion of an object that is not a pod. Answers whether
    /// it is gone. What is said last about its dependents counts: it takes
    /// back what an earlier request said, or its finalizers.
    ///
    /// # Errors
    /// If there is no such object.
    ///
    /// Upstream: `staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go deletionFinalizersForGarbageCollection`
    pub fn delete(&mut self, key: Key, propagation: Propagation) -> Result<bool, ApiError> {
        let meta = self.check(key, None)?;
        let others = meta.finalizers.without(Finalizers::FOREGROUND).without(Finalizers::ORPHAN);
        let finalizers = match propagation {
            Propagation::Background => others,
            Propagation::Foreground => others.with(Finalizers::FOREGROUND),
            Propagation::Orphan => others.with(Finalizers::ORPHAN),
        };
        if finalizers.is_empty() {
            self.remove(key);
            return Ok(true);
        }
        if meta.is_deleting() && finalizers == meta.finalizers {
            return Ok(false);
        }
        let (now, version) = (self.now, self.next_revision());
        let change = self.objects.update_meta(key, |meta| {
            if meta.deletion.is_none() {
                meta.deletion = Some(Deletion { at: now, grace_seconds: 0 });
                meta.generation += 1;
            }
            meta.finalizers = finalizers;
            meta.resource_version = version;
        });
        self.note(change);
        Ok(false)
    }

    /// Takes a finalizer off; the object goes with the last one if its
    /// deletion has been asked for. Answers whether it is gone.
    ///
    /// # Errors
    /// If it is gone already or was written meanwhile.
    pub fn remove_finalizer(
        &mut self,
        key: Key,
        version: Option<u64>,
        finalizer: Finalizers,
    ) -> Result<bool, ApiError> {
        let meta = self.check(key, version)?;
        let left = meta.finalizers.without(finalizer);
        if left == meta.finalizers {
            return Ok(false);
        }
        if is_to_go(key.kind, meta.deletion, left) {
            self.remove(key);
            return Ok(true);
        }
        let version = self.next_revision();
        let change = self.objects.update_meta(key, |meta| {
            meta.finalizers = left;
            meta.resource_version = version;
        });
        self.note(change);
        Ok(false)
    }

    /// Makes `owner` the controller of an object, or takes an owner away, and
    /// finalizers with it. An object that was held by those alone goes.
    ///
    /// # Errors
    /// If the object is gone, or another controller has it.
    pub fn set_owner(
        &mut self,
        key: Key,
        owner: OwnerRef,
        present: bool,
        finalizers: Finalizers,
    ) -> Result<u64, ApiError> {
        let meta = self.check(key, None)?;
        if present && meta.controller().is_some_and(|c| c != owner.key) {
            return Err(ApiError::Invalid(
                "metadata.ownerReferences: Invalid value: Only one reference can have Controller set to true"
                    .to_string(),
            ));
        }
        let held = meta.finalizers.without(if present { Finalizers::NONE } else { finalizers });
        let (released, deletion) = (held != meta.finalizers, meta.deletion);
        let version = self.next_revision();
        let change = self.objects.update_owners(key, |meta| {
            meta.owners.retain(|o| o.key != owner.key);
            meta.finalizers = if present { meta.finalizers.with(finalizers) } else { held };
            if present {
                meta.owners.push(owner);
            }
            meta.resource_version = version;
        });
        self.note(change);
        if released && is_to_go(key.kind, deletion, held) {
            self.remove(key);
        }
        Ok(version)
    }

    /// Replaces the owners of an object and answers its version.
    ///
    /// # Errors
    /// If the object is gone.
    pub fn set_owners(&mut self, key: Key, owners: Vec<OwnerRef>) -> Result<u64, ApiError> {
        let meta = self.check(key, None)?;
        if meta.owners == owners {
            return Ok(meta.resource_version);
        }
        let version = self.next_revision();
        let change = self.objects.update_owners(key, |meta| {
            meta.owners = owners;
            meta.resource_version = version;
        });
        self.note(change);
        Ok(version)
    }

    /// Removes an object for good.
    pub fn remove(&mut self, key: Key) {
        self.next_revision();
        let change = self.objects.remove(key);
        self.note(change);
    }
}

/// Whether nothing holds an object any more whose deletion was asked for. A
/// pod with a grace period still has its kubelet.
fn is_to_go(kind: Kind, deletion: Option<Deletion>, held: Finalizers) -> bool {
    held.is_empty() && deletion.is_some_and(|deletion| kind != Kind::Pod || deletion.grace_seconds == 0)
}
