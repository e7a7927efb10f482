// The presets of conf/products: that each loads as it is, has every call of its table and no other, and protects what
// moves money. Relies on the table below, which repeats what the upstream's public pages say.

import Config
import Foundation
import HTTP
import Policy
import Signing
import Testing

/// A call of an upstream, and what its pages say of repeats.
struct ProductCall: Sendable {
    enum Repeats: Equatable, Sendable {
        /// No key: a read, or a call that must not be held back.
        case harmless
        /// The upstream tells duplicates apart by the field.
        case recognised(String)
        /// It has the field, and what it does with a repeat is not said.
        case field(String)
        /// It has no key, or none that is known: the gateway's own header.
        case none
    }

    var product: String
    var path: String
    var kind: RouteKind
    var lostAnswer: LostAnswer
    var repeats: Repeats

    init(
        _ product: String, _ path: String, _ kind: RouteKind, _ repeats: Repeats, _ lostAnswer: LostAnswer = .unknown
    ) {
        self.product = product
        self.path = path
        self.kind = kind
        self.lostAnswer = lostAnswer
        self.repeats = repeats
    }

    static let all = [
        ProductCall("banking", "/user/create", .create, .none),
        ProductCall("banking", "/business/create", .create, .none),
        ProductCall("banking", "/business/send-verification-request", .create, .none),
        ProductCall("banking", "/business/add-business-owner", .create, .none),
        ProductCall("banking", "/business/get-business-owners", .read, .harmless),
        ProductCall("banking", "/users/bank-accounts/save", .create, .recognised("/idempotent_key")),
        ProductCall("banking", "/program/bank-accounts/save", .create, .none),
        ProductCall("banking", "/business/routable-bank-accounts/issue", .create, .none),
        ProductCall("banking", "/business/routable-bank-accounts/get-single", .read, .harmless),
        ProductCall("banking", "/program/routable-bank-accounts/get", .read, .harmless),
        ProductCall(
            "banking", "/book-transfer/routable-bank-account-to-routable-bank-account-transfer", .push,
            .recognised("/idempotent_key")),
        ProductCall("banking", "/user/charge-bank-account-fund-business-routable-bank-account", .pull, .none),
        ProductCall(
            "banking", "/program/charge-program-bank-account-fund-program-routable-bank-account", .pull, .none),
        ProductCall("banking", "/balance/user", .read, .harmless),
        ProductCall("banking", "/balance/program-transaction-summary", .read, .harmless),
        ProductCall("banking", "/transactions/business", .read, .harmless),
        ProductCall("banking", "/transactions/program-rba", .read, .harmless),
        ProductCall("banking", "/transactions/report", .read, .harmless),
        ProductCall("banking", "/user/routable-cards/create", .create, .none),
        ProductCall("ingopay", "/gateway/verify", .tokenise, .recognised("/participant_unique_id1")),
        ProductCall("ingopay", "/gateway/process", .push, .recognised("/participant_unique_id1"), .assumeSuccess),
        ProductCall(
            "ingopay", "/gateway/v12/debit/process", .pull,
            .recognised("/transaction/participant_unique_ids/participant_unique_id1"), .assumeFailure),
        ProductCall("ingopay", "/gateway/v1/biller/search", .read, .harmless),
        ProductCall("ingopay", "/gateway/search", .read, .harmless),
        ProductCall("ingopay", "/gateway/v1/open-banking-account", .read, .harmless),
        ProductCall("notify", "/gateway/v3/notify", .push, .recognised("/participant_unique_id1")),
        ProductCall(
            "notify", "/gateway/v4/notify", .push,
            .field("/transaction/participant_unique_ids/participant_unique_id1")),
        ProductCall("notify", "/gateway/v3/notifycancel", .create, .harmless),
        ProductCall("iframe", "/api/v1/sessions/point-in-time/plugin", .create, .harmless),
    ]
}

@Suite struct ProductsTests {
    static let products = ["banking", "iframe", "ingopay", "notify"]
    private static let folder = Fixtures.folder.appending(path: "../../conf/products").standardized
    private static let environment = [
        "INGO_BANKING_HMAC": "0123456789abcdef", "INGO_BANKING_API_KEY": "k-1", "INGO_HMAC": "0123456789abcdef",
        "COUNTERSIGN_STORE_KEY": "0123456789abcdef",
    ]

    private func load(_ product: String) throws -> Settings {
        let path = Self.folder.appending(path: "\(product).yaml").path
        let (settings, problems) = SettingsLoader.load(path: path, environment: Environment(Self.environment))
        #expect(problems.map(\.text) == [])
        return try #require(settings)
    }

    private func places(_ route: RouteSettings) -> [String] {
        (route.idempotency?.keys ?? []).map {
            switch $0 {
            case .header(let name): name
            case .pointer(let pointer): pointer.text
            }
        }
    }

    @Test func everyFileIsInTheTable() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(files.sorted() == Self.products.map { "\($0).yaml" })
        #expect(Set(ProductCall.all.map(\.product)).sorted() == Self.products)
    }

    @Test(arguments: products) func aPresetHasTheCallsOfItsTable(product: String) throws {
        let routes = try load(product).routes
        let calls = ProductCall.all.filter { $0.product == product }
        let paths = routes.map { route in
            if case .exact(let path) = route.match { path } else { "a prefix" }
        }
        #expect(paths.sorted() == calls.map(\.path).sorted())
        for call in calls {
            let route = try #require(routes.first { $0.match == .exact(call.path) })
            #expect(route.kind == call.kind, "\(call.path)")
            #expect(route.lostAnswer == call.lostAnswer, "\(call.path)")
            #expect(route.methods == MethodSet(.post) && route.stripPrefix.isEmpty, "\(call.path)")
        }
    }

    @Test(arguments: ProductCall.all) func repeatsAreTreatedAsThePagesSay(call: ProductCall) throws {
        let route = try #require(try load(call.product).routes.first { $0.match == .exact(call.path) })
        let idempotency = route.idempotency
        switch call.repeats {
        case .harmless: #expect(idempotency == nil)
        case .recognised(let field):
            #expect(places(route) == [field])
            #expect(idempotency?.onUnknown == .resend && idempotency?.repeatAfterMilliseconds == 64_000)
        case .field(let field): #expect(places(route) == [field] && idempotency?.onUnknown == .refuse)
        case .none: #expect(places(route) == ["idempotency-key"] && idempotency?.onUnknown == .refuse)
        }
        if let idempotency {
            #expect(idempotency.required && idempotency.onStoreFailure == .refuse && idempotency.onError == .unknown)
        }
    }

    @Test(arguments: products) func whatMovesMoneyIsProtected(product: String) throws {
        for route in try load(product).routes {
            switch route.kind {
            case .push, .pull: #expect(route.idempotency?.required == true, "\(route.name)")
            case .read: #expect(route.idempotency == nil, "\(route.name)")
            case .tokenise, .create: break
            }
        }
    }

    @Test func ingoPayKnowsThatAnOutcomeIsOpen() throws {
        let routes = try load("ingopay").routes + load("notify").routes
        let coded = routes.filter { $0.idempotency?.onUnknown == .resend }
        #expect(coded.map { $0.idempotency?.notFinal } == Array(repeating: ["104"], count: 4))
        #expect(coded.map { $0.idempotency?.notFinalRanges } == Array(repeating: [500...599, 900...999], count: 4))
        let codes = ["/status", "/status", "/response/status", "/status"]
        let times = ["/timestamp", "/timestamp", "/request/timestamp", "/timestamp"]
        #expect(coded.map { $0.idempotency?.code?.text } == codes)
        #expect(coded.map { $0.idempotency?.volatile.first?.text } == times)
    }

    @Test func namesAndPathsDifferAcrossPresets() throws {
        var names: [String] = []
        for product in Self.products {
            let settings = try load(product)
            names += settings.routes.map(\.name)
            names += settings.upstreams.map { "upstream \($0.name)" }
            names += settings.credentials.map { "credential \($0.name)" }
        }
        #expect(Set(names).count == names.count)
        #expect(Set(ProductCall.all.map(\.path)).count == ProductCall.all.count)
    }
}
