/** What kind of thing a privileged command does to a host. */
export const COMMAND_CLASSES = [
  'power',
  'kernel',
  'package',
  'vm',
  'storage',
  'service',
  'other',
] as const;

export type CommandClass = (typeof COMMAND_CLASSES)[number];

/** They run another command, which is what counts. */
const wrappers = new Set(
  'sudo doas nohup nice ionice time env setsid exec chroot timeout stdbuf systemd-run unbuffer'.split(
    ' ',
  ),
);
const shells = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh', 'busybox']);

const programs: Readonly<Record<Exclude<CommandClass, 'other'>, RegExp>> = {
  power: /^(reboot|shutdown|poweroff|halt|telinit|kexec|rtcwake|pm-suspend|needs-restarting)$/,
  kernel:
    /^(modprobe|insmod|rmmod|depmod|dracut|mkinitcpio|mkinitrd|update-initramfs|sysctl|grubby|update-grub2?|grub2?-(install|mkconfig|set-default|reboot)|installkernel|kernel-install|bootctl|efibootmgr|fwupdmgr|kpatch|microcode_ctl)$/,
  package:
    /^(apt|apt-get|aptitude|apt-key|dpkg|dpkg-reconfigure|dnf\d*|yum|rpm|rpm-ostree|zypper|tdnf|pacman|apk|snap|flatpak|unattended-upgrades?|pip\d?|do-release-upgrade|transactional-update)$/,
  vm: /^(virsh|virt-\S+|qemu\S*|libvirtd|virtqemud|qm|pct|xl|xe|vboxmanage|vzctl|lxc\S*|lxd|incus|machinectl|kvm)$/i,
  storage:
    /^(mount|umount|mkfs(\.\S+)?|fsck(\.\S+)?|e2fsck|xfs_\S+|resize2fs|tune2fs|fdisk|sfdisk|gdisk|sgdisk|parted|partprobe|mdadm|lvm|pv\w+|vg\w+|lv\w+|zpool|zfs|btrfs|dd|wipefs|blkdiscard|swapo(n|ff)|mkswap|cryptsetup|nvme|hdparm|sg_\S+|smartctl|iscsiadm|multipath\w*|dmsetup|losetup|fstrim|storcli\d*|perccli\d*|megacli\d*|ssacli|ceph\S*|rbd|drbdadm)$/i,
  service:
    /^(systemctl|service|initctl|rc-service|supervisorctl|pm2|sv|docker|podman|nginx|apachectl)$/,
};

const powerVerbs =
  /^(reboot|soft-reboot|poweroff|halt|kexec|suspend|hibernate|hybrid-sleep|rescue|emergency)$/;
const vmUnits = /^(libvirt|virtqemud|virt|qemu|kvm|machine-qemu)/;

/**
 * The class of a command line as sudo logs it. Wrappers and paths are looked through; of several
 * commands in one the gravest counts, in the order of {@link COMMAND_CLASSES}. Never throws.
 */
export function classifyCommand(command: string): CommandClass {
  const found = command
    .slice(0, 4096)
    .split(/\s*(?:&&|\|\||[;|\n])\s*/)
    .map(part => classifyWords(part.split(/\s+/).map(unquote).filter(Boolean)));
  return COMMAND_CLASSES.find(kind => found.includes(kind)) ?? 'other';
}

function classifyWords(words: readonly string[]): CommandClass {
  const [first, ...rest] = words;
  if (first === undefined) return 'other';
  const program = first.slice(first.lastIndexOf('/') + 1);
  // An assignment, an option of a wrapper, or its number of seconds.
  if (/^\w+=/.test(first) || first.startsWith('-') || /^\d+[smhd]?$/.test(first))
    return classifyWords(rest);
  if (wrappers.has(program)) return classifyWords(rest);
  if (shells.has(program) && rest[0]?.startsWith('-')) return classifyWords(rest.slice(1));
  if (program === 'init') return /^[06]$/.test(rest[0] ?? '') ? 'power' : 'other';
  if (program === 'ipmitool') return classifyIpmi(rest);
  if (program === 'systemctl' || program === 'service') return classifyService(rest);
  for (const [kind, pattern] of Object.entries(programs))
    if (pattern.test(program)) return kind as CommandClass;
  return 'other';
}

function classifyService(words: readonly string[]): CommandClass {
  const operands = words.filter(word => !word.startsWith('-'));
  if (operands.some(word => powerVerbs.test(word))) return 'power';
  return operands.some(word => vmUnits.test(word)) ? 'vm' : 'service';
}

function classifyIpmi(words: readonly string[]): CommandClass {
  const at = words.findIndex(word => word === 'power' || word === 'chassis');
  const isAct = words.slice(at + 1).some(word => /^(off|cycle|reset|soft|diag)$/.test(word));
  return at >= 0 && isAct ? 'power' : 'other';
}

const unquote = (word: string): string => word.replace(/^["'(]+|["')]+$/g, '');
