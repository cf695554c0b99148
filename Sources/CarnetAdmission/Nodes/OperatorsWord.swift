package import KubernetesAPI
import StrictEncoding

/// The operator's word that as many nodes be tainted as should be: in the ConfigMap of the gate's name, in its namespace, `taint-until` with
/// a time at most a day ahead.
package enum OperatorsWord {
    /// The name of the ConfigMap.
    package static let name = "carnet-admission"
    /// The key of its data.
    package static let key = "taint-until"
    /// How far ahead it may be, in seconds.
    package static let longest: Int64 = 86_400

    /// Until when it is said; `nil` when it is not, is over, cannot be read, or is further ahead than a word may be.
    package static func end(in object: KubernetesObject, at now: Int64) -> Int64? {
        guard let end = object.json["data"]?[key]?.string.flatMap({ RFC3339.parse($0) }), end > now,
            end <= now + longest + 60
        else { return nil }
        return end
    }
}
