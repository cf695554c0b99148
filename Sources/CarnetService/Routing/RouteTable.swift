import HTTPTypes

/// All calls of a service, checked before it starts: each has an access class, and no two are the same.
public struct RouteTable: Sendable {
    /// A route that every one of its methods shares, as in `/admin/v1/nodes/{id}`.
    struct Entry: Sendable {
        let route: Route
        let access: AccessClass
    }

    let entries: [Entry]

    /// Checks `routes`.
    ///
    /// - Throws: ``RouteTableError`` for the first route that has no access class, or that another route hides.
    public init(_ routes: [Route]) throws(RouteTableError) {
        var seen: Set<String> = []
        var entries: [Entry] = []
        for route in routes {
            guard let access = route.access else { throw .unclassified(route.label) }
            guard seen.insert(route.method.rawValue + " " + Self.shape(of: route.path)).inserted else {
                throw .duplicate(route.label)
            }
            entries.append(Entry(route: route, access: access))
        }
        self.entries = entries
    }

    /// The routes by path template, in the order of the table.
    var byPath: [(path: String, entries: [Entry])] {
        var order: [String] = []
        var groups: [String: [Entry]] = [:]
        for entry in entries {
            if groups[entry.route.path] == nil { order.append(entry.route.path) }
            groups[entry.route.path, default: []].append(entry)
        }
        return order.map { ($0, groups[$0] ?? []) }
    }

    /// The template without the names of its parts: `/a/{x}` and `/a/{y}` are the same path.
    private static func shape(of path: String) -> String {
        path.split(separator: "/").map { $0.hasPrefix("{") ? "{}" : String($0) }.joined(separator: "/")
    }
}

extension Route {
    /// Method and template: what logs and errors call the route. It holds nothing of any request.
    var label: String { method.rawValue + " " + path }
}

/// Why a service does not start.
public enum RouteTableError: Error, Equatable, CustomStringConvertible {
    /// A route without an access class.
    case unclassified(String)
    /// A route that occurs twice.
    case duplicate(String)

    /// A sentence for the developer who added the route.
    public var description: String {
        switch self {
        case .unclassified(let route):
            "The route \(route) has no access class. Decide who may call it: public, attester, relyingParty or operator."
        case .duplicate(let route): "The route \(route) is registered twice."
        }
    }
}
