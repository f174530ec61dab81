using System.ComponentModel;
using System.Diagnostics;

namespace Godwit.Engine;

/// <summary>The machine's npm: it knows the registry, the proxy and the certificates of the place.</summary>
internal static class Npm
{
    private static readonly string[] Unreachable =
        ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT"];

    /// <summary>Downloads the archive of a package into a folder.</summary>
    public static async Task PackAsync(string package, string folder, CancellationToken ct)
    {
        var start = new ProcessStartInfo("npm", ["pack", package, "--pack-destination", folder])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var npm = Process.Start(start)!;
            npm.StandardInput.Close();
            try
            {
                var stdout = npm.StandardOutput.ReadToEndAsync(ct);
                var stderr = npm.StandardError.ReadToEndAsync(ct);
                await npm.WaitForExitAsync(ct);
                await stdout;
                if (npm.ExitCode != 0)
                {
                    throw Refusal(package, npm.ExitCode, await stderr);
                }
            }
            catch (OperationCanceledException)
            {
                npm.Kill(entireProcessTree: true);
                await npm.WaitForExitAsync(CancellationToken.None);
                throw;
            }
        }
        catch (Win32Exception e)
        {
            throw new EngineStartException(
                "The ClickHouse engine is fetched with npm, and there is no npm on the PATH: install Node.js (it is not needed afterwards).", e);
        }
    }

    /// <summary>What npm's failure means, in a sentence where it is a known one.</summary>
    internal static Exception Refusal(string package, int exitCode, string stderr)
    {
        if (stderr.Contains("ENOSPC", StringComparison.Ordinal))
        {
            return new IOException("no space left on device", Libc.DiskFull);
        }

        if (Unreachable.FirstOrDefault(code => stderr.Contains($" code {code}", StringComparison.Ordinal)) is { } network)
        {
            return new EngineStartException(
                $"The ClickHouse engine could not be fetched because npm does not reach its registry ({network}): "
                + "see to the network or npm's proxy setting, and try again.");
        }

        var why = stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(line => line.StartsWith("npm error", StringComparison.Ordinal) || line.StartsWith("npm ERR!", StringComparison.Ordinal))
            .Take(3);
        return new EngineStartException($"npm could not fetch {package} (exit code {exitCode}): {string.Join("; ", why)}");
    }
}
