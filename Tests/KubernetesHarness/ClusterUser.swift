/// Somebody who calls the API of a test cluster.
package struct ClusterUser: Sendable, Hashable {
    /// The user's name as the API server sees it.
    package let name: String
    /// The user's groups, without `system:authenticated`, which everybody has.
    package let groups: [String]
    /// How the user proves who it is.
    package let proof: Proof

    /// Ways to prove who one is.
    package enum Proof: Sendable, Hashable {
        /// A token that the server knows from its start.
        case token
        /// A certificate of the cluster's authority for clients.
        case certificate
        /// A token of a service account, asked for at the API.
        case serviceAccount(namespace: String, name: String)
        /// A certain token, whoever it belongs to.
        case bearer(String)
        /// Nothing at all.
        case none
    }

    private init(_ name: String, _ groups: [String], _ proof: Proof) {
        self.name = name
        self.groups = groups
        self.proof = proof
    }

    /// May do everything (`system:masters`).
    package static let admin = ClusterUser("carnet-tests-admin", ["system:masters"], .token)
    /// A machine before it is a node: the holder of a bootstrap token.
    package static let bootstrap = ClusterUser("system:bootstrap:carnet", ["system:bootstrappers"], .token)
    /// A person of the group `carnet-operators`, who has no rights beyond those that a test gives the group.
    package static let person = ClusterUser("olga@example.org", ["carnet-operators"], .token)
    /// Somebody known who has no rights.
    package static let stranger = ClusterUser("stranger@example.org", [], .token)
    /// Nobody: no credential is shown.
    package static let anonymous = ClusterUser("system:anonymous", ["system:unauthenticated"], .none)

    /// The kubelet of a node, with a certificate as the cluster would give it.
    package static func node(_ name: String) -> ClusterUser {
        ClusterUser("system:node:" + name, ["system:nodes"], .certificate)
    }

    /// A service account. It is made when its token is first asked for.
    package static func serviceAccount(_ namespace: String, _ name: String) -> ClusterUser {
        ClusterUser(
            "system:serviceaccount:\(namespace):\(name)",
            ["system:serviceaccounts", "system:serviceaccounts:" + namespace],
            .serviceAccount(namespace: namespace, name: name))
    }

    /// Anybody, with a certificate.
    package static func certified(_ name: String, groups: [String] = []) -> ClusterUser {
        ClusterUser(name, groups, .certificate)
    }

    /// Whoever a token belongs to.
    package static func bearer(_ token: String) -> ClusterUser { ClusterUser("", [], .bearer(token)) }

    /// Those whose tokens a server knows from its start, with the tokens.
    static let cast: [(user: ClusterUser, token: String)] = [
        (.admin, "carnet-tests.admin.5e1b"), (.bootstrap, "carnet-tests.bootstrap.77c0"),
        (.person, "carnet-tests.person.91aa"), (.stranger, "carnet-tests.stranger.03fd"),
    ]
}
