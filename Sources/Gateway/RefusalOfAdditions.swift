// Joins two rooms' words: why a credential refuses a body, and the answer that says so. (Policy knows no credentials.)

internal import Policy
internal import Signing

extension Refusal {
    init(_ problem: BodyAdditions.Problem) {
        switch problem.reason {
        case .apiKeyNotExpected: self = .apiKeyNotExpected
        case .fieldDiffers: self = .fieldDiffers
        case .fieldHasNoParent: self = .fieldHasNoParent
        }
    }
}
