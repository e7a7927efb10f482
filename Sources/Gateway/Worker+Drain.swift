// Stopping: no new connections, what is in flight is brought to its end, bounded in time.

internal import Config
internal import Exchange
internal import Net

extension Worker {
    /// Whether nothing was left undone when the loop ended.
    var endedClean: Bool { !wasCutShort }

    /// Who waits in the backlogs is the last to be accepted. Idle callers have a moment for a request that is on its
    /// way; the others are let go after their answer, which says so.
    mutating func beginDrain() {
        guard !draining else { return }
        draining = true
        drainDeadline = now &+ UInt64(connectionLimits.drainMilliseconds)
        for box in listeners { beginClosing(box) }
        for slot in 0..<slots.count {
            guard case .inbound(let connection) = slots[UInt32(slot)] else { continue }
            // A close now would meet requests that were sent in good faith, here or on the wire.
            if connection.state == .idle { proceed(connection) }
            if connection.state == .idle || connection.state == .handshaking {
                arm(connection.slot, after: Worker.farewellMilliseconds)
            }
        }
        closeIdleUpstreams()
        continueDrain()
    }

    /// Ends the loop once nobody is left, or once the time is over.
    mutating func continueDrain() {
        if inboundCount == 0 && listeners.isEmpty {
            stopped = true
        } else if now >= drainDeadline {
            stopNow()
        } else {
            timers.arm(TimerID(slot: drainSlot), at: drainDeadline)
        }
    }

    /// Ends everything: what was sent is reported as unknown, what was not says so.
    mutating func stopNow() {
        draining = true
        endStage()
        for slot in 0..<slots.count {
            guard case .inbound(let connection) = slots[UInt32(slot)] else { continue }
            switch connection.state {
            case .exchange, .body:
                wasCutShort = true
                if let context = connection.context {
                    drive(context, .stopped)
                    // A caller who does not take its answer at once does not get it.
                    if connection.context === context && context.state.exchange.phase == .settled {
                        drive(context, .callerLeft)
                    }
                }
                closeInbound(connection)
            case .handshaking, .idle, .head, .lingering: closeInbound(connection)
            case .closed: break
            }
        }
        stopped = true
    }

    private mutating func closeIdleUpstreams() {
        for slot in 0..<slots.count {
            if case .upstream(let connection) = slots[UInt32(slot)], connection.state == .idle { closeIdle(connection) }
        }
    }
}
