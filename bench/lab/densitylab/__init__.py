"""The density lab: many virtual routers on many interfaces, the same LAN for any keepalived-compatible daemon.

Used by bench/lab/density. Built on netlab (namespaces, daemons); figures come from the kernel and from vigil_observer, never from a daemon.

  setting     how many of what: configuration of both seats, addresses, the protocol's own times; pure
  daemons     the daemons as they are started here
  lan         the namespaces: direct veth pairs, or bridges with a listener
  kernel      CPU, memory and addresses, asked from the kernel at little cost
  ears        vigil_observer processes and their reports
  takeover    lateness of a takeover, worked out from reports; pure
  session     one daemon on one LAN: the measures, one after another
  figures     what can be measured, how it is printed, and what is aimed at
  report      tables and JSON
  goals       the list behind --goals
  plots       PNG
  machine     what it ran on
"""
