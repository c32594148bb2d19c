//! Field names and types of volumes.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/types.go`

use super::Shape::{Bool, Int32, Int64, List, Map, Opt, Ptr, Quantity, Struct, Structs, Text};
use super::common::{
    LABEL_SELECTOR, LOCAL_OBJECT_REFERENCE, OBJECT_FIELD_SELECTOR, OBJECT_META, RESOURCE_FIELD_SELECTOR,
};

shapes! {
    HOST_PATH_VOLUME_SOURCE {
        path: Text, type: Opt(&Text),
    }
    EMPTY_DIR_VOLUME_SOURCE {
        medium: Text, sizeLimit: Opt(&Quantity),
    }
    GCE_PERSISTENT_DISK_VOLUME_SOURCE {
        pdName: Text, fsType: Text, partition: Int32, readOnly: Bool,
    }
    AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE {
        volumeID: Text, fsType: Text, partition: Int32, readOnly: Bool,
    }
    GIT_REPO_VOLUME_SOURCE {
        repository: Text, revision: Text, directory: Text,
    }
    KEY_TO_PATH {
        key: Text, path: Text, mode: Opt(&Int32),
    }
    SECRET_VOLUME_SOURCE {
        secretName: Text, items: Structs(&KEY_TO_PATH), defaultMode: Opt(&Int32),
        optional: Opt(&Bool),
    }
    NFS_VOLUME_SOURCE {
        server: Text, path: Text, readOnly: Bool,
    }
    ISCSI_VOLUME_SOURCE {
        targetPortal: Text, iqn: Text, lun: Int32, iscsiInterface: Text, fsType: Text,
        readOnly: Bool, portals: List(&Text), chapAuthDiscovery: Bool, chapAuthSession: Bool,
        secretRef: Ptr(&LOCAL_OBJECT_REFERENCE), initiatorName: Opt(&Text),
    }
    GLUSTERFS_VOLUME_SOURCE {
        endpoints: Text, path: Text, readOnly: Bool,
    }
    PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE {
        claimName: Text, readOnly: Bool,
    }
    RBD_VOLUME_SOURCE {
        monitors: List(&Text), image: Text, fsType: Text, pool: Text, user: Text, keyring: Text,
        secretRef: Ptr(&LOCAL_OBJECT_REFERENCE), readOnly: Bool,
    }
    FLEX_VOLUME_SOURCE {
        driver: Text, fsType: Text, secretRef: Ptr(&LOCAL_OBJECT_REFERENCE), readOnly: Bool,
        options: Map(&Text),
    }
    CINDER_VOLUME_SOURCE {
        volumeID: Text, fsType: Text, readOnly: Bool, secretRef: Ptr(&LOCAL_OBJECT_REFERENCE),
    }
    CEPH_FS_VOLUME_SOURCE {
        monitors: List(&Text), path: Text, user: Text, secretFile: Text,
        secretRef: Ptr(&LOCAL_OBJECT_REFERENCE), readOnly: Bool,
    }
    FLOCKER_VOLUME_SOURCE {
        datasetName: Text, datasetUUID: Text,
    }
    DOWNWARD_API_VOLUME_FILE {
        path: Text, fieldRef: Ptr(&OBJECT_FIELD_SELECTOR),
        resourceFieldRef: Ptr(&RESOURCE_FIELD_SELECTOR), mode: Opt(&Int32),
    }
    DOWNWARD_API_VOLUME_SOURCE {
        items: Structs(&DOWNWARD_API_VOLUME_FILE), defaultMode: Opt(&Int32),
    }
    FC_VOLUME_SOURCE {
        targetWWNs: List(&Text), lun: Opt(&Int32), fsType: Text, readOnly: Bool,
        wwids: List(&Text),
    }
    AZURE_FILE_VOLUME_SOURCE {
        secretName: Text, shareName: Text, readOnly: Bool,
    }
    CONFIG_MAP_VOLUME_SOURCE {
        name: Text, items: Structs(&KEY_TO_PATH), defaultMode: Opt(&Int32),
        optional: Opt(&Bool),
    }
    VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE {
        volumePath: Text, fsType: Text, storagePolicyName: Text, storagePolicyID: Text,
    }
    QUOBYTE_VOLUME_SOURCE {
        registry: Text, volume: Text, readOnly: Bool, user: Text, group: Text, tenant: Text,
    }
    AZURE_DISK_VOLUME_SOURCE {
        diskName: Text, diskURI: Text, cachingMode: Opt(&Text), fsType: Opt(&Text),
        readOnly: Opt(&Bool), kind: Opt(&Text),
    }
    PHOTON_PERSISTENT_DISK_VOLUME_SOURCE {
        pdID: Text, fsType: Text,
    }
    SECRET_PROJECTION {
        name: Text, items: Structs(&KEY_TO_PATH), optional: Opt(&Bool),
    }
    DOWNWARD_API_PROJECTION {
        items: Structs(&DOWNWARD_API_VOLUME_FILE),
    }
    CONFIG_MAP_PROJECTION {
        name: Text, items: Structs(&KEY_TO_PATH), optional: Opt(&Bool),
    }
    SERVICE_ACCOUNT_TOKEN_PROJECTION {
        audience: Text, expirationSeconds: Opt(&Int64), path: Text,
    }
    CLUSTER_TRUST_BUNDLE_PROJECTION {
        name: Opt(&Text), signerName: Opt(&Text), labelSelector: Ptr(&LABEL_SELECTOR),
        optional: Opt(&Bool), path: Text,
    }
    POD_CERTIFICATE_PROJECTION {
        signerName: Text, keyType: Text, maxExpirationSeconds: Opt(&Int32),
        credentialBundlePath: Text, keyPath: Text, certificateChainPath: Text,
        userAnnotations: Map(&Text),
    }
    VOLUME_PROJECTION {
        secret: Ptr(&SECRET_PROJECTION), downwardAPI: Ptr(&DOWNWARD_API_PROJECTION),
        configMap: Ptr(&CONFIG_MAP_PROJECTION),
        serviceAccountToken: Ptr(&SERVICE_ACCOUNT_TOKEN_PROJECTION),
        clusterTrustBundle: Ptr(&CLUSTER_TRUST_BUNDLE_PROJECTION),
        podCertificate: Ptr(&POD_CERTIFICATE_PROJECTION),
    }
    PROJECTED_VOLUME_SOURCE {
        sources: Structs(&VOLUME_PROJECTION), defaultMode: Opt(&Int32),
    }
    PORTWORX_VOLUME_SOURCE {
        volumeID: Text, fsType: Text, readOnly: Bool,
    }
    SCALE_IO_VOLUME_SOURCE {
        gateway: Text, system: Text, secretRef: Ptr(&LOCAL_OBJECT_REFERENCE), sslEnabled: Bool,
        protectionDomain: Text, storagePool: Text, storageMode: Text, volumeName: Text,
        fsType: Text, readOnly: Bool,
    }
    STORAGE_OS_VOLUME_SOURCE {
        volumeName: Text, volumeNamespace: Text, fsType: Text, readOnly: Bool,
        secretRef: Ptr(&LOCAL_OBJECT_REFERENCE),
    }
    CSI_VOLUME_SOURCE {
        driver: Text, readOnly: Opt(&Bool), fsType: Opt(&Text), volumeAttributes: Map(&Text),
        nodePublishSecretRef: Ptr(&LOCAL_OBJECT_REFERENCE),
    }
    VOLUME_RESOURCE_REQUIREMENTS {
        limits: Map(&Quantity), requests: Map(&Quantity),
    }
    TYPED_LOCAL_OBJECT_REFERENCE {
        apiGroup: Opt(&Text), kind: Text, name: Text,
    }
    TYPED_OBJECT_REFERENCE {
        apiGroup: Opt(&Text), kind: Text, name: Text, namespace: Opt(&Text),
    }
    PERSISTENT_VOLUME_CLAIM_SPEC {
        accessModes: List(&Text), selector: Ptr(&LABEL_SELECTOR),
        resources: Struct(&VOLUME_RESOURCE_REQUIREMENTS), volumeName: Text,
        storageClassName: Opt(&Text), volumeMode: Opt(&Text),
        dataSource: Ptr(&TYPED_LOCAL_OBJECT_REFERENCE),
        dataSourceRef: Ptr(&TYPED_OBJECT_REFERENCE), volumeAttributesClassName: Opt(&Text),
    }
    PERSISTENT_VOLUME_CLAIM_TEMPLATE {
        metadata: Struct(&OBJECT_META), spec: Struct(&PERSISTENT_VOLUME_CLAIM_SPEC),
    }
    EPHEMERAL_VOLUME_SOURCE {
        volumeClaimTemplate: Ptr(&PERSISTENT_VOLUME_CLAIM_TEMPLATE),
    }
    IMAGE_VOLUME_SOURCE {
        reference: Text, pullPolicy: Text,
    }
    VOLUME {
        name: Text, hostPath: Ptr(&HOST_PATH_VOLUME_SOURCE),
        emptyDir: Ptr(&EMPTY_DIR_VOLUME_SOURCE),
        gcePersistentDisk: Ptr(&GCE_PERSISTENT_DISK_VOLUME_SOURCE),
        awsElasticBlockStore: Ptr(&AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE),
        gitRepo: Ptr(&GIT_REPO_VOLUME_SOURCE), secret: Ptr(&SECRET_VOLUME_SOURCE),
        nfs: Ptr(&NFS_VOLUME_SOURCE), iscsi: Ptr(&ISCSI_VOLUME_SOURCE),
        glusterfs: Ptr(&GLUSTERFS_VOLUME_SOURCE),
        persistentVolumeClaim: Ptr(&PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE),
        rbd: Ptr(&RBD_VOLUME_SOURCE), flexVolume: Ptr(&FLEX_VOLUME_SOURCE),
        cinder: Ptr(&CINDER_VOLUME_SOURCE), cephfs: Ptr(&CEPH_FS_VOLUME_SOURCE),
        flocker: Ptr(&FLOCKER_VOLUME_SOURCE), downwardAPI: Ptr(&DOWNWARD_API_VOLUME_SOURCE),
        fc: Ptr(&FC_VOLUME_SOURCE), azureFile: Ptr(&AZURE_FILE_VOLUME_SOURCE),
        configMap: Ptr(&CONFIG_MAP_VOLUME_SOURCE),
        vsphereVolume: Ptr(&VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE),
        quobyte: Ptr(&QUOBYTE_VOLUME_SOURCE), azureDisk: Ptr(&AZURE_DISK_VOLUME_SOURCE),
        photonPersistentDisk: Ptr(&PHOTON_PERSISTENT_DISK_VOLUME_SOURCE),
        projected: Ptr(&PROJECTED_VOLUME_SOURCE), portworxVolume: Ptr(&PORTWORX_VOLUME_SOURCE),
        scaleIO: Ptr(&SCALE_IO_VOLUME_SOURCE), storageos: Ptr(&STORAGE_OS_VOLUME_SOURCE),
        csi: Ptr(&CSI_VOLUME_SOURCE), ephemeral: Ptr(&EPHEMERAL_VOLUME_SOURCE),
        image: Ptr(&IMAGE_VOLUME_SOURCE),
    }
}
