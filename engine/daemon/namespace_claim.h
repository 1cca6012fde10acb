#pragma once

#include "engine/io/file_descriptor.h"

namespace vigil::daemon {

/// Shows that a vigild serves this network namespace, to other vigilds in it (`instance NAME` allows several): what another one holds must
/// not be taken for the leftovers of a killed run. A name in the abstract socket namespace, which is per network namespace and ends with the
/// process.
class NamespaceClaim {
public:
    static NamespaceClaim take();

    /// No other vigild was here when the claim was taken.
    bool is_alone() const { return is_alone_; }
    /// A small number that no other vigild in this network namespace has; the same again after a restart when nothing else changed.
    int place() const { return place_; }

private:
    io::FileDescriptor socket_;
    bool is_alone_ = true;
    int place_ = 0;
};

}  // namespace vigil::daemon
