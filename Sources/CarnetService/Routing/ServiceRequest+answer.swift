import HTTPTypes

extension ServiceRequest {
    /// Which of the media types that a call can answer with its client wants most (RFC 9110 §12.5.1).
    ///
    /// Each type gets the weight of the range that names it most closely. A request without `Accept`, or with an empty one, takes the first.
    ///
    /// - Parameter offers: The types in the order of the service's preference, with their parameters, at least one.
    /// - Throws: ``Problem``: 406 when the client wants none of them. Ask before the request has any effect.
    public func answerType(among offers: [String]) throws(Problem) -> String {
        let wanted = headers[values: .accept].joined(separator: ",")
        guard wanted.contains(where: { $0 != " " && $0 != "," }) else {
            guard let first = offers.first else { throw .notAcceptable(offers) }
            return first
        }
        let ranges = MediaRange.list(wanted)
        var best: (offer: String, weight: Int)?
        for offer in offers {
            guard let type = MediaRange(parsing: offer) else { continue }
            let matches = ranges.compactMap { range in
                range.closeness(to: type).map { (closeness: $0, weight: range.weight) }
            }
            guard let match = matches.max(by: { ($0.closeness, $0.weight) < ($1.closeness, $1.weight) }),
                match.weight > best?.weight ?? 0
            else { continue }
            best = (offer, match.weight)
        }
        guard let best else { throw .notAcceptable(offers) }
        return best.offer
    }
}
