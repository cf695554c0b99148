// tpm2-tss (ESAPI, marshalling, TCTI loader, response codes) as Swift sees it.
#ifndef CARNET_CTSS2_SHIM_H
#define CARNET_CTSS2_SHIM_H

#include <tss2/tss2_common.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

// Composed macros that the importer leaves out, with a type.
static const uint32_t CARNET_RC_LAYER_MASK = TSS2_RC_LAYER_MASK;
static const uint32_t CARNET_TCTI_RC_LAYER = TSS2_TCTI_RC_LAYER;
static const uint32_t CARNET_RESMGR_RC_LAYER = TSS2_RESMGR_RC_LAYER;
static const uint32_t CARNET_RESMGR_TPM_RC_LAYER = TSS2_RESMGR_TPM_RC_LAYER;
static const uint32_t CARNET_BASE_RC_TRY_AGAIN = TSS2_BASE_RC_TRY_AGAIN;
static const uint32_t CARNET_RC_INITIALIZE = TPM2_RC_INITIALIZE;
static const uint32_t CARNET_RC_FAILURE = TPM2_RC_FAILURE;
static const uint32_t CARNET_RC_LOCKOUT = TPM2_RC_LOCKOUT;
static const uint32_t CARNET_RC_OBJECT_MEMORY = TPM2_RC_OBJECT_MEMORY;
static const uint32_t CARNET_RC_SESSION_MEMORY = TPM2_RC_SESSION_MEMORY;
static const uint32_t CARNET_RC_SESSION_HANDLES = TPM2_RC_SESSION_HANDLES;
static const uint32_t CARNET_PT_FIXED = TPM2_PT_FIXED;
static const uint32_t CARNET_PT_MANUFACTURER = TPM2_PT_MANUFACTURER;
static const uint32_t CARNET_PT_VENDOR_STRING_1 = TPM2_PT_VENDOR_STRING_1;
static const uint32_t CARNET_PT_VENDOR_STRING_4 = TPM2_PT_VENDOR_STRING_4;
static const uint32_t CARNET_PT_FIRMWARE_VERSION_1 = TPM2_PT_FIRMWARE_VERSION_1;
static const uint32_t CARNET_PT_FIRMWARE_VERSION_2 = TPM2_PT_FIRMWARE_VERSION_2;
static const uint32_t CARNET_PT_REVISION = TPM2_PT_REVISION;
static const uint32_t CARNET_PT_NV_BUFFER_MAX = TPM2_PT_NV_BUFFER_MAX;
static const uint32_t CARNET_NV_INDEX_FIRST = TPM2_NV_INDEX_FIRST;

// Arrays inside structures: a pointer to the first element, since Swift sees a tuple.
static inline const TPM2B_DIGEST *carnet_digests(const TPML_DIGEST *list) { return list->digests; }
static inline const TPMS_PCR_SELECTION *carnet_selections(const TPML_PCR_SELECTION *list) { return list->pcrSelections; }
static inline const uint8_t *carnet_bitmap(const TPMS_PCR_SELECTION *selection) { return selection->pcrSelect; }
static inline const TPMS_TAGGED_PROPERTY *carnet_properties(const TPML_TAGGED_TPM_PROPERTY *list) {
    return list->tpmProperty;
}
static inline const TPM2_HANDLE *carnet_handles(const TPML_HANDLE *list) { return list->handle; }

#endif
