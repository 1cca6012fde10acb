#include "engine/io/fast_loop.h"

namespace vigil::io {

template class BasicFastLoop<engine::Engine>;

}  // namespace vigil::io
