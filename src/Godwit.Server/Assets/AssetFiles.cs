using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Godwit.Server.Assets;

/// <summary>The style sheets, scripts and fonts of the pages. They are in this assembly: pages need nothing from outside the machine.</summary>
internal sealed class AssetFiles
{
    private const string Prefix = "assets/";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".woff2"] = "font/woff2",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, AssetFile> _files = Read();

    public AssetFiles() => Version = Convert.ToHexStringLower(SHA256.HashData([.. _files.OrderBy(f => f.Key, StringComparer.Ordinal).SelectMany(f => SHA256.HashData(f.Value.Plain))]))[..12];

    /// <summary>Changes with any of them, and stands in their addresses, so that a browser may keep them for ever.</summary>
    public string Version { get; }

    /// <summary>The address of a file.</summary>
    public string Url(string name) => $"/assets/{Version}/{name}";

    /// <summary>A file; null when there is none of that name.</summary>
    public AssetFile? Find(string name) => _files.GetValueOrDefault(name);

    private static FrozenDictionary<string, AssetFile> Read()
    {
        var assembly = typeof(AssetFiles).Assembly;
        return assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).ToFrozenDictionary(
            n => n[Prefix.Length..],
            n =>
            {
                using var stream = assembly.GetManifestResourceStream(n)!;
                using var bytes = new MemoryStream();
                stream.CopyTo(bytes);
                return new AssetFile(Types[Path.GetExtension(n)], bytes.ToArray());
            },
            StringComparer.Ordinal);
    }
}

/// <summary>One of them.</summary>
internal sealed class AssetFile(string type, byte[] plain)
{
    private readonly Lazy<byte[]?> _gzip = new(() => type.StartsWith("font", StringComparison.Ordinal) ? null : Compress(plain));

    public string Type => type;

    public byte[] Plain => plain;

    /// <summary>Compressed; null when that would not make it smaller.</summary>
    public byte[]? Gzip => _gzip.Value;

    private static byte[] Compress(byte[] plain)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal))
        {
            gzip.Write(plain);
        }

        return bytes.ToArray();
    }
}

/// <summary>Serves them.</summary>
internal static class AssetRoutes
{
    public static void MapAssets(this IEndpointRouteBuilder app) => app.MapGet("/assets/{version}/{**name}", Send).AllowAnonymous().ExcludeFromDescription();

    private static IResult Send(string version, string name, AssetFiles files, HttpContext http)
    {
        if (version != files.Version || files.Find(name) is not { } file)
        {
            return Results.NotFound();
        }

        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        http.Response.Headers.Vary = "Accept-Encoding";
        if (file.Gzip is { } gzip && http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal))
        {
            http.Response.Headers.ContentEncoding = "gzip";
            return Results.Bytes(gzip, file.Type);
        }

        return Results.Bytes(file.Plain, file.Type);
    }
}
