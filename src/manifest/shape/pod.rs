//! Field names and types of pods and their containers.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/types.go`

use super::Shape::{Bool, Int32, Int64, IntOrText, Keyed, List, Map, Opt, Ptr, Quantity, Struct, Structs, Text};
use super::common::{
    LABEL_SELECTOR, LOCAL_OBJECT_REFERENCE, OBJECT_FIELD_SELECTOR, OBJECT_META, RESOURCE_FIELD_SELECTOR,
};
use super::volume::VOLUME;

shapes! {
    CONTAINER_PORT {
        name: Text, hostPort: Int32, containerPort: Int32, protocol: Text, hostIP: Text,
    }
    CONFIG_MAP_ENV_SOURCE {
        name: Text, optional: Opt(&Bool),
    }
    SECRET_ENV_SOURCE {
        name: Text, optional: Opt(&Bool),
    }
    ENV_FROM_SOURCE {
        prefix: Text, configMapRef: Ptr(&CONFIG_MAP_ENV_SOURCE),
        secretRef: Ptr(&SECRET_ENV_SOURCE),
    }
    CONFIG_MAP_KEY_SELECTOR {
        name: Text, key: Text, optional: Opt(&Bool),
    }
    SECRET_KEY_SELECTOR {
        name: Text, key: Text, optional: Opt(&Bool),
    }
    FILE_KEY_SELECTOR {
        volumeName: Text, path: Text, key: Text, optional: Opt(&Bool),
    }
    ENV_VAR_SOURCE {
        fieldRef: Ptr(&OBJECT_FIELD_SELECTOR), resourceFieldRef: Ptr(&RESOURCE_FIELD_SELECTOR),
        configMapKeyRef: Ptr(&CONFIG_MAP_KEY_SELECTOR), secretKeyRef: Ptr(&SECRET_KEY_SELECTOR),
        fileKeyRef: Ptr(&FILE_KEY_SELECTOR),
    }
    ENV_VAR {
        name: Text, value: Text, valueFrom: Ptr(&ENV_VAR_SOURCE),
    }
    RESOURCE_CLAIM {
        name: Text, request: Text,
    }
    RESOURCE_REQUIREMENTS {
        limits: Map(&Quantity), requests: Map(&Quantity), claims: Structs(&RESOURCE_CLAIM),
    }
    CONTAINER_RESIZE_POLICY {
        resourceName: Text, restartPolicy: Text,
    }
    CONTAINER_RESTART_RULE_ON_EXIT_CODES {
        operator: Text, values: List(&Int32),
    }
    CONTAINER_RESTART_RULE {
        action: Text, exitCodes: Ptr(&CONTAINER_RESTART_RULE_ON_EXIT_CODES),
    }
    VOLUME_MOUNT {
        name: Text, readOnly: Bool, recursiveReadOnly: Opt(&Text), mountPath: Text,
        subPath: Text, mountPropagation: Opt(&Text), subPathExpr: Text,
    }
    VOLUME_DEVICE {
        name: Text, devicePath: Text,
    }
    EXEC_ACTION {
        command: List(&Text),
    }
    HTTP_HEADER {
        name: Text, value: Text,
    }
    HTTP_GET_ACTION {
        path: Text, port: IntOrText, host: Text, scheme: Text,
        httpHeaders: Structs(&HTTP_HEADER),
    }
    TCP_SOCKET_ACTION {
        port: IntOrText, host: Text,
    }
    GRPC_ACTION {
        port: Int32, service: Opt(&Text),
    }
    PROBE {
        exec: Ptr(&EXEC_ACTION), httpGet: Ptr(&HTTP_GET_ACTION),
        tcpSocket: Ptr(&TCP_SOCKET_ACTION), grpc: Ptr(&GRPC_ACTION), initialDelaySeconds: Int32,
        timeoutSeconds: Int32, periodSeconds: Int32, successThreshold: Int32,
        failureThreshold: Int32, terminationGracePeriodSeconds: Opt(&Int64),
    }
    SLEEP_ACTION {
        seconds: Int64,
    }
    LIFECYCLE_HANDLER {
        exec: Ptr(&EXEC_ACTION), httpGet: Ptr(&HTTP_GET_ACTION),
        tcpSocket: Ptr(&TCP_SOCKET_ACTION), sleep: Ptr(&SLEEP_ACTION),
    }
    LIFECYCLE {
        postStart: Ptr(&LIFECYCLE_HANDLER), preStop: Ptr(&LIFECYCLE_HANDLER),
        stopSignal: Opt(&Text),
    }
    CAPABILITIES {
        add: List(&Text), drop: List(&Text),
    }
    SE_LINUX_OPTIONS {
        user: Text, role: Text, type: Text, level: Text,
    }
    WINDOWS_SECURITY_CONTEXT_OPTIONS {
        gmsaCredentialSpecName: Opt(&Text), gmsaCredentialSpec: Opt(&Text),
        runAsUserName: Opt(&Text), hostProcess: Opt(&Bool),
    }
    SECCOMP_PROFILE {
        type: Text, localhostProfile: Opt(&Text),
    }
    APP_ARMOR_PROFILE {
        type: Text, localhostProfile: Opt(&Text),
    }
    SECURITY_CONTEXT {
        capabilities: Ptr(&CAPABILITIES), privileged: Opt(&Bool),
        seLinuxOptions: Ptr(&SE_LINUX_OPTIONS),
        windowsOptions: Ptr(&WINDOWS_SECURITY_CONTEXT_OPTIONS), runAsUser: Opt(&Int64),
        runAsGroup: Opt(&Int64), runAsNonRoot: Opt(&Bool), readOnlyRootFilesystem: Opt(&Bool),
        allowPrivilegeEscalation: Opt(&Bool), procMount: Opt(&Text),
        seccompProfile: Ptr(&SECCOMP_PROFILE), appArmorProfile: Ptr(&APP_ARMOR_PROFILE),
    }
    CONTAINER {
        name: Text, image: Text, command: List(&Text), args: List(&Text), workingDir: Text,
        ports: Keyed("containerPort", &CONTAINER_PORT), envFrom: Structs(&ENV_FROM_SOURCE),
        env: Keyed("name", &ENV_VAR), resources: Struct(&RESOURCE_REQUIREMENTS),
        resizePolicy: Structs(&CONTAINER_RESIZE_POLICY), restartPolicy: Opt(&Text),
        restartPolicyRules: Structs(&CONTAINER_RESTART_RULE),
        volumeMounts: Keyed("mountPath", &VOLUME_MOUNT),
        volumeDevices: Keyed("devicePath", &VOLUME_DEVICE), livenessProbe: Ptr(&PROBE),
        readinessProbe: Ptr(&PROBE), startupProbe: Ptr(&PROBE), lifecycle: Ptr(&LIFECYCLE),
        terminationMessagePath: Text, terminationMessagePolicy: Text, imagePullPolicy: Text,
        securityContext: Ptr(&SECURITY_CONTEXT), stdin: Bool, stdinOnce: Bool, tty: Bool,
    }
    EPHEMERAL_CONTAINER {
        name: Text, image: Text, command: List(&Text), args: List(&Text), workingDir: Text,
        ports: Keyed("containerPort", &CONTAINER_PORT), envFrom: Structs(&ENV_FROM_SOURCE),
        env: Keyed("name", &ENV_VAR), resources: Struct(&RESOURCE_REQUIREMENTS),
        resizePolicy: Structs(&CONTAINER_RESIZE_POLICY), restartPolicy: Opt(&Text),
        restartPolicyRules: Structs(&CONTAINER_RESTART_RULE),
        volumeMounts: Keyed("mountPath", &VOLUME_MOUNT),
        volumeDevices: Keyed("devicePath", &VOLUME_DEVICE), livenessProbe: Ptr(&PROBE),
        readinessProbe: Ptr(&PROBE), startupProbe: Ptr(&PROBE), lifecycle: Ptr(&LIFECYCLE),
        terminationMessagePath: Text, terminationMessagePolicy: Text, imagePullPolicy: Text,
        securityContext: Ptr(&SECURITY_CONTEXT), stdin: Bool, stdinOnce: Bool, tty: Bool,
        targetContainerName: Text,
    }
    SYSCTL {
        name: Text, value: Text,
    }
    POD_SECURITY_CONTEXT {
        seLinuxOptions: Ptr(&SE_LINUX_OPTIONS),
        windowsOptions: Ptr(&WINDOWS_SECURITY_CONTEXT_OPTIONS), runAsUser: Opt(&Int64),
        runAsGroup: Opt(&Int64), runAsNonRoot: Opt(&Bool), supplementalGroups: List(&Int64),
        supplementalGroupsPolicy: Opt(&Text), fsGroup: Opt(&Int64), sysctls: Structs(&SYSCTL),
        fsGroupChangePolicy: Opt(&Text), seccompProfile: Ptr(&SECCOMP_PROFILE),
        appArmorProfile: Ptr(&APP_ARMOR_PROFILE), seLinuxChangePolicy: Opt(&Text),
    }
    NODE_SELECTOR_REQUIREMENT {
        key: Text, operator: Text, values: List(&Text),
    }
    NODE_SELECTOR_TERM {
        matchExpressions: Structs(&NODE_SELECTOR_REQUIREMENT),
        matchFields: Structs(&NODE_SELECTOR_REQUIREMENT),
    }
    NODE_SELECTOR {
        nodeSelectorTerms: Structs(&NODE_SELECTOR_TERM),
    }
    PREFERRED_SCHEDULING_TERM {
        weight: Int32, preference: Struct(&NODE_SELECTOR_TERM),
    }
    NODE_AFFINITY {
        requiredDuringSchedulingIgnoredDuringExecution: Ptr(&NODE_SELECTOR),
        preferredDuringSchedulingIgnoredDuringExecution: Structs(&PREFERRED_SCHEDULING_TERM),
    }
    POD_AFFINITY_TERM {
        labelSelector: Ptr(&LABEL_SELECTOR), namespaces: List(&Text), topologyKey: Text,
        namespaceSelector: Ptr(&LABEL_SELECTOR), matchLabelKeys: List(&Text),
        mismatchLabelKeys: List(&Text),
    }
    WEIGHTED_POD_AFFINITY_TERM {
        weight: Int32, podAffinityTerm: Struct(&POD_AFFINITY_TERM),
    }
    POD_AFFINITY {
        requiredDuringSchedulingIgnoredDuringExecution: Structs(&POD_AFFINITY_TERM),
        preferredDuringSchedulingIgnoredDuringExecution: Structs(&WEIGHTED_POD_AFFINITY_TERM),
    }
    POD_ANTI_AFFINITY {
        requiredDuringSchedulingIgnoredDuringExecution: Structs(&POD_AFFINITY_TERM),
        preferredDuringSchedulingIgnoredDuringExecution: Structs(&WEIGHTED_POD_AFFINITY_TERM),
    }
    AFFINITY {
        nodeAffinity: Ptr(&NODE_AFFINITY), podAffinity: Ptr(&POD_AFFINITY),
        podAntiAffinity: Ptr(&POD_ANTI_AFFINITY),
    }
    TOLERATION {
        key: Text, operator: Text, value: Text, effect: Text, tolerationSeconds: Opt(&Int64),
    }
    HOST_ALIAS {
        ip: Text, hostnames: List(&Text),
    }
    POD_DNS_CONFIG_OPTION {
        name: Text, value: Opt(&Text),
    }
    POD_DNS_CONFIG {
        nameservers: List(&Text), searches: List(&Text),
        options: Structs(&POD_DNS_CONFIG_OPTION),
    }
    POD_READINESS_GATE {
        conditionType: Text,
    }
    TOPOLOGY_SPREAD_CONSTRAINT {
        maxSkew: Int32, topologyKey: Text, whenUnsatisfiable: Text,
        labelSelector: Ptr(&LABEL_SELECTOR), minDomains: Opt(&Int32),
        nodeAffinityPolicy: Opt(&Text), nodeTaintsPolicy: Opt(&Text),
        matchLabelKeys: List(&Text),
    }
    POD_OS {
        name: Text,
    }
    POD_SCHEDULING_GATE {
        name: Text,
    }
    POD_RESOURCE_CLAIM {
        name: Text, resourceClaimName: Opt(&Text), resourceClaimTemplateName: Opt(&Text),
    }
    POD_SCHEDULING_GROUP {
        podGroupName: Opt(&Text),
    }
    POD_SPEC {
        volumes: Keyed("name", &VOLUME), initContainers: Keyed("name", &CONTAINER),
        containers: Keyed("name", &CONTAINER),
        ephemeralContainers: Keyed("name", &EPHEMERAL_CONTAINER), restartPolicy: Text,
        terminationGracePeriodSeconds: Opt(&Int64), activeDeadlineSeconds: Opt(&Int64),
        dnsPolicy: Text, nodeSelector: Map(&Text), serviceAccountName: Text,
        serviceAccount: Text, automountServiceAccountToken: Opt(&Bool), nodeName: Text,
        hostNetwork: Bool, hostPID: Bool, hostIPC: Bool, shareProcessNamespace: Opt(&Bool),
        securityContext: Ptr(&POD_SECURITY_CONTEXT),
        imagePullSecrets: Keyed("name", &LOCAL_OBJECT_REFERENCE), hostname: Text,
        subdomain: Text, affinity: Ptr(&AFFINITY), schedulerName: Text,
        tolerations: Structs(&TOLERATION), hostAliases: Keyed("ip", &HOST_ALIAS),
        priorityClassName: Text, priority: Opt(&Int32), dnsConfig: Ptr(&POD_DNS_CONFIG),
        readinessGates: Structs(&POD_READINESS_GATE), runtimeClassName: Opt(&Text),
        enableServiceLinks: Opt(&Bool), preemptionPolicy: Opt(&Text), overhead: Map(&Quantity),
        topologySpreadConstraints: Keyed("topologyKey", &TOPOLOGY_SPREAD_CONSTRAINT),
        setHostnameAsFQDN: Opt(&Bool), os: Ptr(&POD_OS), hostUsers: Opt(&Bool),
        schedulingGates: Keyed("name", &POD_SCHEDULING_GATE),
        resourceClaims: Keyed("name", &POD_RESOURCE_CLAIM),
        resources: Ptr(&RESOURCE_REQUIREMENTS), hostnameOverride: Opt(&Text),
        schedulingGroup: Ptr(&POD_SCHEDULING_GROUP),
    }
    POD_TEMPLATE_SPEC {
        metadata: Struct(&OBJECT_META), spec: Struct(&POD_SPEC),
    }
}
