-- The signature for nginx's Lua: libcrypto by FFI, as the limit program calls it. The HMAC's inner and outer states are
-- hashed once and copied for each request. Relies on OpenSSL 3. Refuses a body that is not whole in memory.
local ffi = require("ffi")

ffi.cdef [[
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_md_st EVP_MD;
EVP_MD *EVP_MD_fetch(void *context, const char *name, const char *properties);
EVP_MD_CTX *EVP_MD_CTX_new(void);
int EVP_MD_CTX_copy_ex(EVP_MD_CTX *to, const EVP_MD_CTX *from);
int EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, void *engine);
int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t count);
int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *size);
]]

local crypto = ffi.load("libcrypto.so.3")
local BLOCK, SIZE = 128, 64
local sha512 = crypto.EVP_MD_fetch(nil, "SHA512", nil)
local work = crypto.EVP_MD_CTX_new()
local digest = ffi.new("unsigned char[?]", SIZE)

local function finish()
    crypto.EVP_DigestFinal_ex(work, digest, nil)
    return digest
end

local function padded(key, pad)
    local block = ffi.new("unsigned char[?]", BLOCK)
    if #key > BLOCK then
        crypto.EVP_DigestInit_ex(work, sha512, nil)
        crypto.EVP_DigestUpdate(work, key, #key)
        ffi.copy(block, finish(), SIZE)
    else
        ffi.copy(block, key, #key)
    end
    for index = 0, BLOCK - 1 do
        block[index] = require("bit").bxor(block[index], pad)
    end
    local context = crypto.EVP_MD_CTX_new()
    crypto.EVP_DigestInit_ex(context, sha512, nil)
    crypto.EVP_DigestUpdate(context, block, BLOCK)
    return context
end

local function text()
    return ngx.encode_base64(ffi.string(digest, SIZE))
end

local sign = {}

-- The function that signs the request at hand, for one program's name and the file of its secret.
function sign.prepare(username, secret_file)
    local file = assert(io.open(secret_file, "rb"))
    local secret = file:read("*a"):gsub("\n$", "")
    file:close()
    local inner, outer = padded(secret, 0x36), padded(secret, 0x5c)
    local start = 'hmac username="' .. username .. '", algorithm="hmac-sha512", '
        .. 'headers="request-line x-date content-type content-sha512 content-length", signature="'
    return function()
        ngx.req.read_body()
        local body = ngx.req.get_body_data()
        if not body then
            if ngx.req.get_body_file() then return ngx.exit(500) end
            body = ""
        end
        crypto.EVP_DigestInit_ex(work, sha512, nil)
        crypto.EVP_DigestUpdate(work, body, #body)
        finish()
        local hash = text()
        local date = ngx.http_time(ngx.time())
        local var = ngx.var
        local signed = ngx.req.get_method() .. " " .. var.request_uri .. " HTTP/1.1\nx-date: " .. date
            .. "\ncontent-type: application/json\ncontent-sha512: " .. hash .. "\ncontent-length: " .. #body
        crypto.EVP_MD_CTX_copy_ex(work, inner)
        crypto.EVP_DigestUpdate(work, signed, #signed)
        finish()
        crypto.EVP_MD_CTX_copy_ex(work, outer)
        crypto.EVP_DigestUpdate(work, digest, SIZE)
        finish()
        var.date = date
        var.digest = hash
        var.authorization = start .. text() .. '"'
    end
end

return sign
