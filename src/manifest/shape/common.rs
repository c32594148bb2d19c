//! Field names and types of metadata, selectors and references.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go`

use super::Shape::{Any, Bool, Int64, Keyed, List, Map, Opt, Quantity, Set, Structs, Text, Time};

shapes! {
    OWNER_REFERENCE {
        apiVersion: Text, kind: Text, name: Text, uid: Text, controller: Opt(&Bool),
        blockOwnerDeletion: Opt(&Bool),
    }
    MANAGED_FIELDS_ENTRY {
        manager: Text, operation: Text, apiVersion: Text, time: Opt(&Time), fieldsType: Text,
        fieldsV1: Opt(&Any), subresource: Text,
    }
    OBJECT_META {
        name: Text, generateName: Text, namespace: Text, selfLink: Text, uid: Text,
        resourceVersion: Text, generation: Int64, creationTimestamp: Time,
        deletionTimestamp: Opt(&Time), deletionGracePeriodSeconds: Opt(&Int64),
        labels: Map(&Text), annotations: Map(&Text),
        ownerReferences: Keyed("uid", &OWNER_REFERENCE), finalizers: Set(&Text),
        managedFields: Structs(&MANAGED_FIELDS_ENTRY),
    }
    LABEL_SELECTOR_REQUIREMENT {
        key: Text, operator: Text, values: List(&Text),
    }
    LABEL_SELECTOR {
        matchLabels: Map(&Text), matchExpressions: Structs(&LABEL_SELECTOR_REQUIREMENT),
    }
    LOCAL_OBJECT_REFERENCE {
        name: Text,
    }
    OBJECT_FIELD_SELECTOR {
        apiVersion: Text, fieldPath: Text,
    }
    RESOURCE_FIELD_SELECTOR {
        containerName: Text, resource: Text, divisor: Quantity,
    }
}
