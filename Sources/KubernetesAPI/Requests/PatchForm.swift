/// How a patch is read, by the media type that says it.
package enum PatchForm: String, Sendable {
    /// RFC 7396: arrays are replaced as a whole.
    case merge = "application/merge-patch+json"
    /// Kubernetes' own: of some arrays, as a node's conditions, only the elements change whose keys are named.
    case strategic = "application/strategic-merge-patch+json"
}
