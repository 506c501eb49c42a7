import { addConfigFlag, type ConfigFlag } from '../config-flag.js';
import { configFindings } from '../doctor/config-findings.js';
import { failed, type Finding } from '../doctor/finding.js';
import { fleetFindings } from '../doctor/fleet-findings.js';
import { ledgerFindings } from '../doctor/ledger-findings.js';
import { machineFindings } from '../doctor/machine-findings.js';
import { temporalFindings } from '../doctor/temporal-findings.js';
import { EXIT } from '../exit-codes.js';
import { colour } from '../format.js';
import type { Register } from '../program.js';
import { addConnectionFlags, type ConnectionFlags } from '../session.js';

type DoctorFlags = ConnectionFlags & ConfigFlag & { readonly json?: true };

/** `sluice doctor`: looks at everything a rollout needs; each line says what to do. Exits 1 when something would stop a rollout. */
export const registerDoctor: Register = (program, io, result) => {
  const command = program
    .command('doctor')
    .description('Check machine, sluice.yaml, Temporal, ledger and fleet; say what to do about each finding.')
    .option('--json', 'print one JSON value');
  addConfigFlag(addConnectionFlags(command)).action(async (flags: DoctorFlags) => {
    const findings: Finding[] = [...machineFindings(io.env)];
    const { config, findings: ofConfig } = configFindings(io, flags);
    findings.push(...ofConfig);
    findings.push(...(await temporalFindings(io, flags)));
    findings.push(...(await ledgerFindings(io, flags, config)));
    if (config !== null) findings.push(...(await fleetFindings(io, config)));
    if (flags.json === true) io.print(JSON.stringify(findings));
    else io.print(findings.map(line).join('\n'));
    if (findings.some((finding) => failed(finding))) result.exitCode = EXIT.error;
  });
};

function line(finding: Finding): string {
  const mark = { ok: colour.green('ok  '), warn: colour.yellow('warn'), fail: colour.red('fail') }[finding.level];
  return `${mark}  ${finding.what}${finding.next === null ? '' : `\n      ${finding.next}`}`;
}
