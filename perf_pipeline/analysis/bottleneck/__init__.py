"""What limits a load level: one verdict of a closed list, with all the evidence for it.

The model. A level in closed loop is a ring of N workflows. Each is, at any moment, at one place:
in the runtime (running, or waiting for the interpreter lock or a core), queued inside an
asynchronous runtime, waiting for a connection of a pool, or waiting for a server. What limits the
ring is either a resource that is used up, or the place where workflows spend their time although
nothing behind it is used up. Each cause follows from what can be observed from outside:

- ``generator``: the slots are between two workflows at least half of the time, which the records
  time exactly (of a closed level; in an open one nothing arrived for a free slot); or all cores are
  busy, the wait of the workers' threads for one is where time goes, and the harness takes a tenth
  of the cores or more (with less, the target would be at most a ninth faster without it) and no
  less than processes outside of the run.
- ``cpu``: the workers fill the cores that may be used; or all cores are busy and the wait for one
  is where time goes (``cores.time_on_cores``): workflows run or wait for a core half of their time,
  or interpreters that run half of the time do, with the wait, nothing else. A wait that is a small
  part of the time is no cause, whoever keeps the cores busy. Cores that other programs used are
  reported as such. Or the workers are at the run's own limit, which explains the other two; or the
  kernel throttled their control group in half of the periods or more: the quota of a container. Two
  workers at 95 % each on two cores are this: each core has an interpreter, and more processes would
  not help.
- ``interpreter_lock``: each worker uses one core, not much more, more than one workflow wants to
  run in it, and cores stand idle. Cores that wait for a disk are not idle.
- ``server``: workflows wait for it, or for a connection of its full pool, and it is used up
  (its processes take half of the cores or more and no core is free; one thread that executes all
  commands fills a core), or half of its active sessions wait for locks; or workflows wait inside
  its driver and it reports that it executes for them, however idle it is (``pg_sleep``, a remote
  server).
- ``disk``: threads wait for a disk as the kernel counts them; where it does not, cores have
  nothing to do because a disk has not answered, and those for whom workflows wait read and write.
- ``connection_pool``: workflows wait in the pool, the server counts as many connections as the
  pools allow, and the server has cores to spare.
- ``runtime_queue``: half of the workflows or more are queued inside the runtime, it executes as
  many as it ever does at once, and no worker is busy for a whole core. This is a separate verdict:
  no pool of connections is involved, and what helps is a setting of the runtime.
- ``unclear``: anything else, and why.

What is used up makes queues before it. So none of the waits is the bottleneck where a worker is
busy for a whole core, and a cause explains others (``EXPLAINS``): what holds and is explained by
something that holds is not the bottleneck. One cause left is the verdict. Two left, or a cause
left that something unmeasured might explain, are ``unclear``.

Thresholds (``evidence.py``): 90 % of a resource is used up, half of the time is where the time
goes, differences below a tenth occur between two equal runs. They were chosen, not fitted; every
value is given beside its threshold in the evidence, so that a reader can disagree.
"""
