import KubernetesAPI
import StrictEncoding

extension KubernetesObject {
    /// The request as it is written to its subresource `approval`: with one condition more, and everything else as it was.
    ///
    /// - Parameter type: `Approved` or `Denied`.
    func deciding(_ type: String, reason: String, message: String, at now: Int64) -> KubernetesObject {
        let time = JSONValue.string(RFC3339.format(now))
        let condition: JSONValue = [
            "type": .string(type), "status": "True", "reason": .string(reason),
            "message": .string(String(message.prefix(1000))), "lastUpdateTime": time, "lastTransitionTime": time,
        ]
        var object = self, status = object.status
        status["conditions"] = .array((status["conditions"]?.elements ?? []) + [condition])
        object.json["status"] = status
        return object
    }
}
