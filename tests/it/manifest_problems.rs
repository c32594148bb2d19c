//! Manifests that are refused, and the words.

use super::manifest::{container_with, pod_with, problems, web_with};
use serde_json::{Value, json};

#[track_caller]
fn check(cases: &[(Value, &str)]) {
    for (document, expect) in cases {
        assert_eq!(problems(document), *expect);
    }
}

#[test]
fn unknown_fields_find_their_place() {
    check(&[
        (
            web_with(json!({"spec": {"replica": 3}})),
            r#"spec.replica: unknown field "replica" (did you mean "replicas"?)"#,
        ),
        (
            web_with(json!({"spec": {"Replicas": 3}})),
            r#"spec.Replicas: unknown field "Replicas" (did you mean "replicas"?)"#,
        ),
        (
            web_with(json!({"spec": {"strategy": {"maxSurge": 1}}})),
            r#"spec.strategy.maxSurge: unknown field "maxSurge" (it belongs in spec.strategy.rollingUpdate)"#,
        ),
        (
            web_with(json!({"spec": {"updateStrategy": {"type": "Recreate"}}})),
            r#"spec.updateStrategy: unknown field "updateStrategy" (did you mean "strategy"?)"#,
        ),
        (
            web_with(json!({"spec": {"nodeSelector": {"a": "b"}}})),
            r#"spec.nodeSelector: unknown field "nodeSelector" (it belongs in spec.template.spec)"#,
        ),
        (
            web_with(json!({"spec": {"containers": [{"name": "a", "image": "b"}], "template": {"spec": null}}})),
            r#"spec.containers: unknown field "containers" (it belongs in spec.template.spec)"#,
        ),
        (
            web_with(json!({"spec": {"labels": {"a": "b"}}})),
            r#"spec.labels: unknown field "labels" (it belongs in metadata or in spec.template.metadata)"#,
        ),
        (
            web_with(json!({"spec": {"namespace": "x"}})),
            r#"spec.namespace: unknown field "namespace" (it belongs in metadata or in spec.template.metadata)"#,
        ),
        (web_with(json!({"labels": {"a": "b"}})), r#"labels: unknown field "labels" (it belongs in metadata)"#),
        (web_with(json!({"replicas": 3})), r#"replicas: unknown field "replicas" (it belongs in spec)"#),
        (
            web_with(json!({"spec": {"template": {"spec": {"imagePullSecret": [{"name": "x"}]}}}})),
            r#"spec.template.spec.imagePullSecret: unknown field "imagePullSecret" (did you mean "imagePullSecrets"?)"#,
        ),
        (
            web_with(json!({"spec": {"selector": {"app": "web"}}})),
            r#"spec.selector.app: unknown field "app" (does it belong in matchLabels?)"#,
        ),
        (
            web_with(json!({"spec": {"selector": {"matchLabel": {"app": "web"}, "matchLabels": null}}})),
            r#"spec.selector.matchLabel: unknown field "matchLabel" (did you mean "matchLabels"?)"#,
        ),
        (
            web_with(json!({"spec": {"template": {"labels": {"app": "web"}, "metadata": null}}})),
            r#"spec.template.labels: unknown field "labels" (it belongs in spec.template.metadata)"#,
        ),
        (
            pod_with(json!({"containers": [{"name": "My App", "imge": "b"}]})),
            r#"spec.template.spec.containers[0].imge: unknown field "imge" (did you mean "image"?)
spec.template.spec.containers[0].name: Invalid value: "My App": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?') ("my-app" would be right)"#,
        ),
        (
            container_with(json!({"resources": {"cpu": "2"}})),
            r#"spec.template.spec.containers[0].resources.cpu: unknown field "cpu" (does it belong in limits or in requests?)"#,
        ),
        (
            container_with(json!({"readinessProbe": {"httpGet": {"port": "8080"}, "periodSecond": 5}})),
            r#"spec.template.spec.containers[0].readinessProbe.periodSecond: unknown field "periodSecond" (did you mean "periodSeconds"?)
spec.template.spec.containers[0].readinessProbe.httpGet.port: Invalid value: "8080": must contain at least one letter (a-z) (remove the quotes: 8080)"#,
        ),
        (
            container_with(json!({"volumes": []})),
            r#"spec.template.spec.containers[0].volumes: unknown field "volumes" (it belongs in spec.template.spec)"#,
        ),
        (
            container_with(json!({"terminationGracePeriodSeconds": 5})),
            r#"spec.template.spec.containers[0].terminationGracePeriodSeconds: unknown field "terminationGracePeriodSeconds" (it belongs in spec.template.spec)"#,
        ),
        (
            container_with(json!({"nodeSelector": {}})),
            r#"spec.template.spec.containers[0].nodeSelector: unknown field "nodeSelector" (it belongs in spec.template.spec)"#,
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "annotations": {"controller.kubernetes.io/pod-deletion-cost": "high"}}, "spec": {"containers": [{"name": "a", "image": " b"}], "replicas": 3}}),
            r#"spec.replicas: unknown field "replicas"
metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "high": must be a 32bit integer
spec.containers[0].image: Invalid value: " b": must not have leading or trailing whitespace"#,
        ),
    ]);
}

#[test]
fn wrong_types_are_explained() {
    check(&[
        (
            web_with(json!({"spec": {"replicas": "3"}})),
            r#"spec.replicas: expected a whole number, found the string "3" (remove the quotes: 3)"#,
        ),
        (
            web_with(json!({"spec": {"replicas": "three"}})),
            r#"spec.replicas: expected a whole number, found the string "three""#,
        ),
        (web_with(json!({"spec": {"replicas": 2.5}})), "spec.replicas: expected a whole number, found the number 2.5"),
        (
            web_with(json!({"spec": {"replicas": 3_000_000_000_i64}})),
            "spec.replicas: expected a whole number from -2147483648 to 2147483647, found 3000000000",
        ),
        (
            web_with(json!({"spec": {"paused": "true"}})),
            r#"spec.paused: expected true or false, found the string "true" (write true, without quotes)"#,
        ),
        (
            web_with(json!({"spec": {"paused": "yes"}})),
            r#"spec.paused: expected true or false, found the string "yes" (write true, without quotes)"#,
        ),
        (
            web_with(json!({"metadata": {"labels": {"version": 1.5, "on": true, "empty": null}}})),
            r#"metadata.labels[version]: expected a string, found the number 1.5 (put it in quotes)
metadata.labels[on]: expected a string, found true (put it in quotes: "true")"#,
        ),
        (
            web_with(json!({"metadata": {"annotations": {"a": {"b": 1}}}})),
            "metadata.annotations[a]: expected a string, found a mapping",
        ),
        (
            web_with(json!({"spec": {"strategy": "Recreate"}})),
            r#"spec.strategy: expected a mapping, found the string "Recreate" (write type: Recreate)"#,
        ),
        (
            web_with(json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": 1.5, "maxUnavailable": "-5%"}}}})),
            r#"spec.strategy.rollingUpdate.maxSurge: expected a whole number, found the number 1.5
spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "-5%": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"#,
        ),
        (
            pod_with(json!({"containers": {"name": "a", "image": "b"}})),
            r#"spec.template.spec.containers: expected a list, found a mapping (begin each item with "- name: …")"#,
        ),
        (
            pod_with(
                json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"matchExpressions": []}]}}}),
            ),
            r#"spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution: expected a mapping, found a list (remove the "- " before its fields)"#,
        ),
        (
            pod_with(json!({"nodeSelector": {"gpu": true}})),
            r#"spec.template.spec.nodeSelector[gpu]: expected a string, found true (put it in quotes: "true")"#,
        ),
        (
            pod_with(json!({"terminationGracePeriodSeconds": "30s"})),
            r#"spec.template.spec.terminationGracePeriodSeconds: expected a whole number, found the string "30s" (write 30, it is in seconds)"#,
        ),
        (
            container_with(
                json!({"ports": [{"containerPort": 80000, "name": "HTTP"}, {"name": "a"}, {"containerPort": "80"}]}),
            ),
            r#"spec.template.spec.containers[0].ports[2].containerPort: expected a whole number, found the string "80" (remove the quotes: 80)
spec.template.spec.containers[0].ports[0].name: Invalid value: "HTTP": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)
spec.template.spec.containers[0].ports[0].name: Invalid value: "HTTP": must contain at least one letter (a-z)
spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 80000: must be between 1 and 65535, inclusive
spec.template.spec.containers[0].ports[1].containerPort: Required value"#,
        ),
        (
            container_with(json!({"ports": [8080]})),
            "spec.template.spec.containers[0].ports[0]: expected a mapping, found the number 8080 (write containerPort: 8080)",
        ),
        (
            container_with(
                json!({"env": [{"name": "A", "value": 1}, {"name": "B", "value": true}, {"value": "x"}, {"name": "C", "valueFrom": {}}]}),
            ),
            r#"spec.template.spec.containers[0].env[0].value: expected a string, found the number 1 (put it in quotes: "1")
spec.template.spec.containers[0].env[1].value: expected a string, found true (put it in quotes: "true")
spec.template.spec.containers[0].env[2].name: Required value
spec.template.spec.containers[0].env[3].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"#,
        ),
        (
            container_with(json!({"env": {"A": "b"}})),
            r#"spec.template.spec.containers[0].env: expected a list, found a mapping (begin each item with "- name: …")"#,
        ),
        (
            container_with(json!({"command": "run.sh"})),
            r#"spec.template.spec.containers[0].command: expected a list, found the string "run.sh" (write ["run.sh"])"#,
        ),
        (
            container_with(json!({"image": 5})),
            r#"spec.template.spec.containers[0].image: expected a string, found the number 5 (put it in quotes: "5")"#,
        ),
    ]);
}

#[test]
fn rollout_numbers_must_make_sense() {
    check(&[
        (
            web_with(json!({"spec": {"replicas": -1}})),
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            web_with(json!({"spec": {"strategy": {"type": "rollingUpdate"}}})),
            r#"spec.strategy.type: Unsupported value: "rollingUpdate": supported values: "Recreate", "RollingUpdate" (did you mean "RollingUpdate"?)"#,
        ),
        (
            web_with(json!({"spec": {"strategy": {"type": "BlueGreen"}}})),
            r#"spec.strategy.type: Unsupported value: "BlueGreen": supported values: "Recreate", "RollingUpdate""#,
        ),
        (
            web_with(json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}})),
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate' (remove it, or set it to null in a patch)",
        ),
        (
            web_with(json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}})),
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0 (raise one of them: pods could neither be added nor removed)",
        ),
        (
            web_with(json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}}})),
            r#"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0 (raise one of them: pods could neither be added nor removed)"#,
        ),
        (
            web_with(json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": "3"}}}})),
            r#"spec.strategy.rollingUpdate.maxSurge: Invalid value: "3": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%') (write 3 without quotes for pods or "3%" for a share)"#,
        ),
        (
            web_with(json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": "x", "maxUnavailable": 0}}}})),
            r#"spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"#,
        ),
        (
            web_with(json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": -1, "maxUnavailable": "101%"}}}})),
            r#"spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0
spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%"#,
        ),
        (
            web_with(json!({"spec": {"minReadySeconds": 600}})),
            "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds (minReadySeconds is 600)",
        ),
        (
            web_with(
                json!({"spec": {"minReadySeconds": -1, "revisionHistoryLimit": -2, "progressDeadlineSeconds": -3}}),
            ),
            "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0
spec.revisionHistoryLimit: Invalid value: -2: must be greater than or equal to 0
spec.progressDeadlineSeconds: Invalid value: -3: must be greater than or equal to 0
spec.progressDeadlineSeconds: Invalid value: -3: must be greater than minReadySeconds (minReadySeconds is -1)",
        ),
    ]);
}

#[test]
fn metadata_is_checked() {
    check(&[
        (
            web_with(json!({"metadata": {"name": "Web_App"}})),
            r#"metadata.name: Invalid value: "Web_App": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*') ("web-app" would be right)"#,
        ),
        (
            web_with(json!({"metadata": {"name": null}})),
            "metadata.name: Required value: name or generateName is required",
        ),
        (
            web_with(json!({"metadata": {"name": null, "generateName": "web-"}})),
            "metadata.name: Required value: generateName is not modelled (give the object a name)",
        ),
        (
            web_with(json!({"metadata": {"name": "-web"}})),
            r#"metadata.name: Invalid value: "-web": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#,
        ),
        (
            web_with(json!({"metadata": {"namespace": "my.space"}})),
            r#"metadata.namespace: Invalid value: "my.space": must not contain dots"#,
        ),
        (
            web_with(json!({"metadata": {"labels": {"app": "my app"}}})),
            r#"metadata.labels: Invalid value: "my app": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?') (this is the value of "app")"#,
        ),
        (
            web_with(json!({"metadata": {"labels": {"a/b/c": "x"}}})),
            r#"metadata.labels: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"#,
        ),
        (web_with(json!({"metadata": null})), "metadata.name: Required value: name or generateName is required"),
    ]);
}

#[test]
fn selector_and_labels_must_agree() {
    check(&[
        (
            web_with(json!({"spec": null})),
            r"spec.selector: Required value (write matchLabels with labels that the template has too)
spec.template.spec.containers: Required value",
        ),
        (
            web_with(json!({"spec": {"selector": null}})),
            "spec.selector: Required value (write matchLabels with labels that the template has too)",
        ),
        (
            web_with(json!({"spec": {"selector": {"matchLabels": null}}})),
            "spec.selector: Invalid value: {}: empty selector is invalid for deployment (write matchLabels with labels that the template has too)",
        ),
        (
            web_with(json!({"spec": {"selector": {"matchLabels": {"app": "other"}}}})),
            r#"spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels` (the selector asks for app: other)"#,
        ),
        (
            web_with(json!({"spec": {"template": {"metadata": null}}})),
            "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels` (the selector asks for app: web)",
        ),
        (
            web_with(
                json!({"spec": {"selector": {"matchExpressions": [{"key": "app", "operator": "in", "values": []}]}}}),
            ),
            r#"spec.selector.matchExpressions[0].operator: Invalid value: "in": not a valid selector operator (did you mean "In"?)"#,
        ),
        (
            web_with(
                json!({"spec": {"selector": {"matchExpressions": [{"key": "app", "operator": "In"}, {"key": "x", "operator": "Exists", "values": ["a"]}]}}}),
            ),
            r#"spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'
spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'
spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`"#,
        ),
    ]);
}

#[test]
fn pods_are_checked() {
    check(&[
        (
            pod_with(json!({"restartPolicy": "Never"})),
            r#"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#,
        ),
        (
            pod_with(json!({"restartPolicy": "always"})),
            r#"spec.template.spec.restartPolicy: Unsupported value: "always": supported values: "Always", "OnFailure", "Never" (did you mean "Always"?)"#,
        ),
        (pod_with(json!({"containers": []})), "spec.template.spec.containers: Required value"),
        (pod_with(json!({"containers": null})), "spec.template.spec.containers: Required value"),
        (
            pod_with(json!({"activeDeadlineSeconds": 0})),
            r"spec.template.spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive
spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
        ),
        (
            pod_with(json!({"ephemeralContainers": [{"name": "x", "image": "y"}]})),
            "spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template",
        ),
        (
            pod_with(
                json!({"volumes": [{"name": "data", "emptyDir": {}, "hostPath": {"path": "/x"}}, {"name": "data"}, {"configMap": {}}]}),
            ),
            r#"spec.template.spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type
spec.template.spec.volumes[1].name: Duplicate value: "data"
spec.template.spec.volumes[2].configMap.name: Required value
spec.template.spec.volumes[2].name: Required value"#,
        ),
        (json!({"apiVersion": "v1", "kind": "ConfigMap"}), "kind: ConfigMap is not simulated"),
    ]);
}

#[test]
fn containers_are_checked() {
    check(&[
        (
            pod_with(json!({"containers": [{"name": "a"}, {"image": "b"}, {"name": "a", "image": ""}]})),
            r#"spec.template.spec.containers[0].image: Required value
spec.template.spec.containers[1].name: Required value
spec.template.spec.containers[2].image: Required value
spec.template.spec.containers[2].name: Duplicate value: "a""#,
        ),
        (
            container_with(json!({"resources": {"requests": {"cpu": "2", "memory": "512MB"}, "limits": {"cpu": "1"}}})),
            r#"spec.template.spec.containers[0].resources.requests[memory]: Invalid value: "512MB": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' (did you mean 512Mi?)
spec.template.spec.containers[0].resources.requests[cpu]: Invalid value: "2": must be less than or equal to cpu limit of 1"#,
        ),
        (
            container_with(json!({"resources": {"requests": {"cpus": "2", "nvidia.com/gpu": 1}}})),
            r#"spec.template.spec.containers[0].resources.requests[cpus]: Invalid value: "cpus": must be a standard resource for containers (did you mean "cpu"?)
spec.template.spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"#,
        ),
        (
            container_with(json!({"resources": {"requests": {"cpu": -1}}})),
            r#"spec.template.spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0"#,
        ),
        (
            container_with(json!({"volumeMounts": [{"name": "data", "mountPath": "/x"}, {"name": "dta"}]})),
            r#"spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data" (there is no such entry in volumes)
spec.template.spec.containers[0].volumeMounts[1].name: Not found: "dta" (there is no such entry in volumes)
spec.template.spec.containers[0].volumeMounts[1].mountPath: Required value"#,
        ),
        (
            container_with(json!({"readinessProbe": {"periodSeconds": -5}})),
            r"spec.template.spec.containers[0].readinessProbe: Required value: must specify a handler type (one of exec, httpGet, tcpSocket, grpc)
spec.template.spec.containers[0].readinessProbe.periodSeconds: Invalid value: -5: must be greater than or equal to 0",
        ),
        (
            container_with(
                json!({"livenessProbe": {"tcpSocket": {"port": 0}, "exec": {"command": ["x"]}, "successThreshold": 2}}),
            ),
            r"spec.template.spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type
spec.template.spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            container_with(json!({"imagePullPolicy": "ifNotPresent"})),
            r#"spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "ifNotPresent": supported values: "Always", "IfNotPresent", "Never" (did you mean "IfNotPresent"?)"#,
        ),
        (
            container_with(json!({"restartPolicy": "always"})),
            r#"spec.template.spec.containers[0].restartPolicy: Unsupported value: "always": supported values: "Always", "Never", "OnFailure" (did you mean "Always"?)"#,
        ),
        (
            container_with(json!({"lifecycle": {"preStop": {"sleep": {"seconds": 60}}}})),
            "spec.template.spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ),
    ]);
}

#[test]
fn scheduling_is_checked() {
    check(&[
        (
            pod_with(json!({"nodeName": "n1"})),
            "spec.template.spec.nodeName: not modelled, and the result would depend on it: every pod would go to this node unseen by the scheduler (use a nodeSelector for kubernetes.io/hostname)",
        ),
        (
            pod_with(json!({"schedulingGates": [{"name": "x"}, {"name": "a b"}, {"name": "x"}]})),
            r#"spec.template.spec.schedulingGates[1]: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
spec.template.spec.schedulingGates[2]: Duplicate value: "x""#,
        ),
        (
            pod_with(
                json!({"tolerations": [{"key": "a", "operator": "exists"}, {"effect": "NoExec"}, {"key": "b", "tolerationSeconds": 5}, {"key": "c", "operator": "Exists", "value": "x"}]}),
            ),
            r#"spec.template.spec.tolerations[0].operator: Unsupported value: "exists": supported values: "Equal", "Exists" (did you mean "Exists"?)
spec.template.spec.tolerations[1].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"
spec.template.spec.tolerations[1].effect: Unsupported value: "NoExec": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute" (did you mean "NoExecute"?)
spec.template.spec.tolerations[2].effect: Invalid value: "": effect must be 'NoExecute' when `tolerationSeconds` is set
spec.template.spec.tolerations[3].operator: Invalid value: "x": value must be empty when `operator` is 'Exists'"#,
        ),
        (
            pod_with(
                json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}}),
            ),
            "spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
        ),
        (
            pod_with(
                json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "z", "operator": "In"}], "matchFields": [{"key": "name", "operator": "Exists"}]}]}}}}),
            ),
            r#"spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'
spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].operator: Invalid value: "Exists": not a valid selector operator
spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "name": not a valid field selector key (only metadata.name is)"#,
        ),
        (
            pod_with(json!({"nodeSelector": {"a": "b c"}})),
            r#"spec.template.spec.nodeSelector: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?') (this is the value of "a")"#,
        ),
    ]);
}
