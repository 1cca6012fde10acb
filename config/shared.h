#pragma once

#include <memory>
#include <utility>

namespace vigil::config {

/// A value that is not changed any more and that many hold: 37,205 real servers are mostly one real server with other addresses. A copy costs a
/// count, and is as valid as the original.
template <typename T>
class Shared {
public:
    Shared() : value_(empty()) {}
    explicit Shared(std::shared_ptr<const T> value) : value_(std::move(value)) {}

    const T& operator*() const { return *value_; }
    const T* operator->() const { return value_.get(); }
    const T* get() const { return value_.get(); }

    /// Equal contents; those of one configuration are mostly the same object, which is looked at first.
    friend bool operator==(const Shared& a, const Shared& b) { return a.value_ == b.value_ || *a.value_ == *b.value_; }

private:
    static const std::shared_ptr<const T>& empty() {
        static const std::shared_ptr<const T> value = std::make_shared<const T>();
        return value;
    }

    std::shared_ptr<const T> value_;   ///< never nullptr
};

}  // namespace vigil::config
