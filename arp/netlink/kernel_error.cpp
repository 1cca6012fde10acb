#include "arp/netlink/kernel_error.h"

#include <system_error>

namespace vigil::netlink {

std::string to_string(const KernelError& error) {
    std::string text = std::generic_category().message(error.error_number) + " (" + std::to_string(error.error_number) + ")";
    if (!error.text.empty()) text += ": " + error.text;
    return text;
}

}  // namespace vigil::netlink
