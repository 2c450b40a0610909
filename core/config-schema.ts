import {availableParallelism} from 'node:os';
import {fileURLToPath} from 'node:url';
import {z} from 'zod';
import {parseAddress} from './domain/address.ts';
import {DEFAULT_POLICY, HOLD_BACK_SHARE_MAX, MODES, type Policy} from './domain/policy.ts';
import {defaultRetention, defaultStoreRetention, type Retention} from './domain/retention.ts';

/** Everything that can be set, with its defaults filled in. */
export type Config = {
  core: {
    /** HOST:PORT of gRPC; port 0 takes a free one. */
    listen: string;
    /** HOST:PORT of HTTP. */
    http: string;
    /** HOST:PORT of gRPC as others reach it, for `status`; empty: `listen`. */
    advertise: string;
    /** Segments, the sqlite file and locks live here. Absolute. */
    dataDir: string;
    /** Allows addresses other than loopback although nobody is authenticated. */
    insecure: boolean;
  };
  log: {
    kind: 'memory' | 'segments' | 'kafka';
    kafka: {
      brokers: readonly string[];
      topicPrefix: string;
      replicationFactor: number;
      /** An owner that has not been heard of for this long is dead; brokers allow 6 s and more. */
      sessionTimeoutMs: number;
      /** How often an owner is heard, and hears that partitions are shared out anew. */
      heartbeatMs: number;
      /** How long the others wait for an owner that does not join in sharing out. */
      rebalanceTimeoutMs: number;
    };
    segments: {segmentBytes: number};
    /** What is older or more goes, oldest first; all partitions together. */
    telemetryRetention: Retention;
    /** The same, but nothing that a start needs. */
    journalRetention: Retention;
  };
  store: {
    kind: 'memory' | 'sqlite' | 'questdb';
    /**
     * Rows that are older or more go, oldest first. QuestDB: by age only, in whole days, and only
     * from tables that it makes from now on. Memory: nothing goes.
     */
    retention: Retention;
    /**
     * HOST:PORT of QuestDB's HTTP. Two fleets on one server need two prefixes; cores of one fleet
     * share one.
     */
    questdb: {address: string; tablePrefix: string};
  };
  /** `none`: inventory from telemetry, nobody acts. */
  hypervisor: {kind: 'grpc' | 'none'};
  scoring: {
    /** Folder of model.onnx and its card. Absolute. */
    modelDir: string;
    threads: number;
    cadence: 'on-change' | 'interval' | 'every-n';
    /** For `interval`. */
    intervalMs: number;
    /**
     * For `every-n`: each host's every so many-th sample is scored, as of that sample, however long
     * it takes; holds then end by the times of samples. A multiple of the stride of a model that
     * reads windows of the last samples.
     */
    everySamples: number;
    /** How long a tick waits for its scores before they join a later one. */
    waitMs: number;
  };
  anomaly: {
    enabled: boolean;
    /**
     * Minutes a day that a healthy host may count as odd, in the long run. Mostly a few in a row:
     * 1 is one false alarm a host in some days.
     */
    oddMinutesPerHostDay: number;
  };
  keeper: KeeperConfig;
  ticks: {tickMs: number; checkpointEveryMs: number};
  policy: Policy;
};

/** Who tends the models that hosts are scored by. */
export type KeeperConfig = {
  /**
   * `off`: nobody. `watch`: drift is watched, a challenger that people have named is compared with
   * the champion, and what would be done is told. `auto`: it is done: models are trained, tried,
   * promoted and taken back.
   */
  mode: (typeof KEEPER_MODES)[number];
  /** Share of the hosts that a challenger scores before it is promoted, and for how long at least. */
  canaryPercent: number;
  canaryMs: number;
  /** So long after a promotion the champion before is compared, and serves again if it does better. */
  probationMs: number;
  /** Between two trainings; twice as long after each challenger in a row that was refused. */
  coolDownMs: number;
  /** Failures whose part is known that a training takes. */
  trainingLeastFailures: number;
};

const KEEPER_MODES = ['off', 'watch', 'auto'] as const;

export const DEFAULT_CONFIG: Config = {
  core: {
    listen: '127.0.0.1:7443',
    http: '127.0.0.1:7070',
    advertise: '',
    dataDir: '.forestay',
    insecure: false,
  },
  log: {
    kind: 'segments',
    kafka: {
      brokers: ['127.0.0.1:9092'],
      topicPrefix: 'forestay',
      replicationFactor: 1,
      sessionTimeoutMs: 6000,
      heartbeatMs: 1000,
      rebalanceTimeoutMs: 10_000,
    },
    segments: {segmentBytes: 64 * 2 ** 20},
    telemetryRetention: defaultRetention.telemetry,
    journalRetention: defaultRetention.journal,
  },
  store: {
    kind: 'sqlite',
    retention: defaultStoreRetention,
    questdb: {address: '127.0.0.1:9000', tablePrefix: ''},
  },
  hypervisor: {kind: 'grpc'},
  scoring: {
    modelDir: fileURLToPath(new URL('../models/artefacts', import.meta.url)),
    threads: Math.max(1, availableParallelism() - 1),
    cadence: 'on-change',
    intervalMs: 1000,
    everySamples: 5,
    waitMs: 100,
  },
  anomaly: {enabled: true, oddMinutesPerHostDay: 1},
  keeper: {
    mode: 'watch',
    canaryPercent: 25,
    canaryMs: 2 * 3_600_000,
    probationMs: 24 * 3_600_000,
    coolDownMs: 6 * 3_600_000,
    trainingLeastFailures: 20,
  },
  ticks: {tickMs: 250, checkpointEveryMs: 60_000},
  policy: DEFAULT_POLICY,
};

const DAY_MS = 86_400_000;

const ratio = z.number().min(0).max(1);
const nonNegative = z.number().min(0);
const positive = z.number().gt(0);
const count = z.int().min(1);
const durationMs = z
  .int()
  .min(0)
  .max(365 * DAY_MS);
const address = z.string().refine(text => parseAddress(text), 'expected HOST:PORT');

type FieldSchemas<Value> = {[Key in keyof Value]-?: z.ZodType<Value[Key]>};

/** An object of exactly these keys, each of which may be left out. */
function section<Value extends object>(
  defaults: Value,
  fields: FieldSchemas<Value>,
): z.ZodType<Value> {
  const shape = Object.fromEntries(
    Object.entries<z.ZodType>(fields).map(([key, schema]) => [
      key,
      schema.default(defaults[key as keyof Value]),
    ]),
  );
  return z.strictObject(shape) as unknown as z.ZodType<Value>;
}

const policySchema = section(DEFAULT_POLICY, {
  version: count,
  mode: z.enum(MODES),
  band: section(DEFAULT_POLICY.band, {
    enter: ratio,
    enterHoldMs: durationMs,
    leave: ratio,
    leaveHoldMs: durationMs,
  }).refine(band => band.leave < band.enter, {
    path: ['leave'],
    message: 'must be below band.enter, else a host would enter and leave at once',
  }),
  reboot: section(DEFAULT_POLICY.reboot, {threshold: ratio}),
  learning: section(DEFAULT_POLICY.learning, {enabled: z.boolean()}),
  holdBack: section(DEFAULT_POLICY.holdBack, {
    share: nonNegative.max(HOLD_BACK_SHARE_MAX),
    criticalityMax: ratio,
  }),
  horizonMs: durationMs,
  costs: section(DEFAULT_POLICY.costs, {
    interruptionMinutes: nonNegative,
    restartMinutes: nonNegative,
    ghostTakeoverMinutes: nonNegative,
    moveMinutes: nonNegative,
    ghostMinutes: nonNegative,
    ghostMinutesPerGibHour: nonNegative,
    cordonMinutesPerHour: nonNegative,
    weightBase: nonNegative,
    weightCritical: nonNegative,
  }),
  budgets: section(DEFAULT_POLICY.budgets, {
    concurrentPerHost: z.int().min(0),
    concurrentPerCell: z.int().min(0),
    movesPerHourPerCell: z.int().min(0),
    ghostMemoryRatio: ratio,
    ghostCriticalityMin: ratio,
  }),
  target: section(DEFAULT_POLICY.target, {
    cpuLimitRatio: positive.max(1),
    memoryLimitRatio: positive.max(1),
    riskLimit: ratio,
  }),
  silence: section(DEFAULT_POLICY.silence, {
    staleAfterMs: durationMs,
    fenceAfterMs: durationMs,
    fenceAtRiskAfterMs: durationMs,
  })
    .refine(silence => silence.staleAfterMs <= silence.fenceAfterMs, {
      path: ['fenceAfterMs'],
      message: 'must be staleAfterMs or more: a host is suspected before it is fenced',
    })
    .refine(silence => silence.staleAfterMs <= silence.fenceAtRiskAfterMs, {
      path: ['fenceAtRiskAfterMs'],
      message: 'must be staleAfterMs or more: a host is suspected before it is fenced',
    }),
  breaker: section(DEFAULT_POLICY.breaker, {
    hostsAtRiskRatio: ratio,
    hostsAtRiskMin: z.int().min(0),
  }),
  dwellMs: durationMs,
  cooldownMs: durationMs,
  probationMs: durationMs,
});

const retention = (defaults: Retention): z.ZodType<Retention> =>
  section(defaults, {
    ageMs: z
      .int()
      .min(60_000)
      .max(3650 * DAY_MS),
    bytes: z.int().min(2 ** 20),
  });

export const configSchema = section(DEFAULT_CONFIG, {
  core: section(DEFAULT_CONFIG.core, {
    listen: address,
    http: address,
    advertise: z.literal('').or(address),
    dataDir: z.string().min(1),
    insecure: z.boolean(),
  }),
  log: section(DEFAULT_CONFIG.log, {
    kind: z.enum(['memory', 'segments', 'kafka']),
    kafka: section(DEFAULT_CONFIG.log.kafka, {
      brokers: z.array(address).min(1),
      topicPrefix: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'expected A-Z a-z 0-9 . _ -'),
      replicationFactor: z.int().min(1).max(32),
      sessionTimeoutMs: z.int().min(1000).max(300_000),
      heartbeatMs: z.int().min(100).max(60_000),
      rebalanceTimeoutMs: z.int().min(1000).max(300_000),
    }).refine(({heartbeatMs, sessionTimeoutMs}) => 3 * heartbeatMs <= sessionTimeoutMs, {
      path: ['heartbeatMs'],
      message: 'must be at most a third of sessionTimeoutMs, else a late heartbeat is a death',
    }),
    segments: section(DEFAULT_CONFIG.log.segments, {
      segmentBytes: z
        .int()
        .min(2 ** 16)
        .max(2 ** 31),
    }),
    telemetryRetention: retention(DEFAULT_CONFIG.log.telemetryRetention),
    journalRetention: retention(DEFAULT_CONFIG.log.journalRetention),
  }),
  store: section(DEFAULT_CONFIG.store, {
    kind: z.enum(['memory', 'sqlite', 'questdb']),
    retention: retention(DEFAULT_CONFIG.store.retention),
    questdb: section(DEFAULT_CONFIG.store.questdb, {
      address,
      tablePrefix: z.string().regex(/^[A-Za-z0-9_]*$/, 'only letters, digits and _'),
    }),
  }),
  hypervisor: section(DEFAULT_CONFIG.hypervisor, {kind: z.enum(['grpc', 'none'])}),
  scoring: section(DEFAULT_CONFIG.scoring, {
    modelDir: z.string().min(1),
    threads: z.int().min(1).max(256),
    cadence: z.enum(['on-change', 'interval', 'every-n']),
    intervalMs: z.int().min(10).max(DAY_MS),
    everySamples: z.int().min(1).max(1_000_000),
    waitMs: z.int().min(0).max(10_000),
  }),
  anomaly: section(DEFAULT_CONFIG.anomaly, {
    enabled: z.boolean(),
    oddMinutesPerHostDay: z.number().min(0.01).max(100),
  }),
  keeper: section(DEFAULT_CONFIG.keeper, {
    mode: z.enum(KEEPER_MODES),
    canaryPercent: z.int().min(1).max(99),
    canaryMs: durationMs,
    probationMs: durationMs,
    coolDownMs: durationMs.min(60_000),
    trainingLeastFailures: count,
  }),
  ticks: section(DEFAULT_CONFIG.ticks, {
    tickMs: z.int().min(10).max(60_000),
    checkpointEveryMs: z.int().min(1000).max(DAY_MS),
  }),
  policy: policySchema,
});
