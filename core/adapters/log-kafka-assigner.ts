import kafkajs, {type PartitionAssigner} from 'kafkajs';
import {PARTITION_COUNT} from '../domain/hash.ts';

const {AssignerProtocol} = kafkajs;
const name = 'forestay-sticky';
const version = 1;

/**
 * Shares the partitions out evenly, moving as few as possible: a member keeps what it claims up to
 * its even share, what is left goes to those below it. Members and partitions are taken in order,
 * so every leader comes to the same answer.
 */
export function shareOut(
  claims: ReadonlyMap<string, readonly number[]>,
  partitionCount = PARTITION_COUNT,
): Map<string, number[]> {
  // Those who claim most keep the larger shares, so nothing moves only for the remainder's sake.
  const members = [...claims.keys()]
    .sort()
    .sort((a, b) => (claims.get(b)?.length ?? 0) - (claims.get(a)?.length ?? 0));
  const free = new Set(Array.from({length: partitionCount}, (_, partition) => partition));
  const shares = new Map<string, number[]>();
  const sizes = new Map<string, number>();
  for (const [rank, member] of members.entries()) {
    const remainder = partitionCount % members.length;
    const size = Math.floor(partitionCount / members.length) + (rank < remainder ? 1 : 0);
    const kept = (claims.get(member) ?? []).filter(partition => free.has(partition)).slice(0, size);
    for (const partition of kept) free.delete(partition);
    shares.set(member, kept);
    sizes.set(member, size);
  }
  const rest = [...free].sort((a, b) => b - a);
  for (const [member, share] of shares) {
    while (share.length < (sizes.get(member) ?? 0)) share.push(rest.pop() as number);
    share.sort((a, b) => a - b);
  }
  return shares;
}

/**
 * {@link shareOut} for kafkajs. Members say in their metadata which partitions they hold, so that a
 * rebalance, for which all let go of everything, gives them back.
 */
export function stickyAssigner(topic: string, held: () => Iterable<number>): PartitionAssigner {
  return () => ({
    name,
    version,
    async assign({members}) {
      const claims = new Map(
        members.map(({memberId, memberMetadata}) => [memberId, claimsOf(memberMetadata)]),
      );
      return Array.from(shareOut(claims), ([memberId, partitions]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version,
          assignment: {[topic]: partitions},
          userData: Buffer.alloc(0),
        }),
      }));
    },
    protocol: ({topics}) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version,
        topics,
        userData: Buffer.from([...held()]),
      }),
    }),
  });
}

/** One byte a partition: there are 64. */
function claimsOf(memberMetadata: Buffer): number[] {
  const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata);
  return metadata === null ? [] : [...metadata.userData];
}
